/** The health gate, on a platform in memory: what is waited for, what fails a deployment, and what it says. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { demo } from '../../demo.ts';
import { FctlError } from '../../../src/contract/errors.ts';
import { ApplicationStatus } from '../../../src/contract/outcome.ts';
import { World } from '../world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** Lets something happen as soon as an event of that type is told for the first time. */
const when = (type: string, action: () => void) => {
  let isDone = false;
  return {
    onEvent: (event: World['events'][number]) => {
      world.events.push(event);
      if (isDone || event.type !== type) return;
      isDone = true;
      action();
    },
  };
};

const messagesOf = async (failing: Promise<unknown>): Promise<readonly string[]> => {
  const error = await failing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FctlError)) throw new Error('it did not fail', { cause: error });
  return error.problems.map(({ message }) => message);
};

it.each([
  [true, 'jobs-run'],
  [false, 'main-runs'],
])('says of a main() that executes a job (%s): %s', async (executes, type) => {
  const waiting = new World({ executes });
  onTestFinished(() => waiting.close());
  await waiting.deploy();
  expect(waiting.events.at(-1)).toEqual({ type });
});

describe('a process that waits for its place', () => {
  it('is waited for, and told, until it is admitted', async () => {
    world.platform.pend(demo, 'taskmanager-1', 'no machine has room');
    const admitted = when('waiting-for-processes', () =>
      world.platform.admit(demo, 'taskmanager-1'),
    );
    await world.deploy({}, admitted);
    expect(world.events).toContainEqual({
      type: 'waiting-for-processes',
      pending: 'taskmanager-1 has not started: no machine has room',
    });
    expect(await world.processes()).toContain('taskmanager-1 running');
  });

  it('fails the deployment when there is no place in time, with the reason', async () => {
    world.platform.pend(demo, 'taskmanager-1', 'no machine has room');
    const before = world.clock.monotonic();
    const messages = await messagesOf(world.deploy({}, { healthTimeoutMs: 5000 }));
    expect(messages).toEqual([
      'only 1 of 2 TaskManagers registered within 5 s',
      'taskmanager-1 has not started: no machine has room',
    ]);
    expect(world.clock.monotonic() - before).toBeGreaterThan(5000);
  });
});

describe('a process that dies', () => {
  it('fails the deployment at once, with its own last lines', async () => {
    world.registers = 0;
    const dies = when('waiting-for-taskmanagers', () => {
      world.platform.process(demo, 'taskmanager-1').print('Error: no such module');
      world.platform.crash(demo, 'taskmanager-1', 137);
    });
    const before = world.clock.monotonic();
    const [died, lines] = await messagesOf(world.deploy({}, dies));
    expect(died).toMatch(/^taskmanager-1 \(.*\) died while the cluster was starting: .*SIGKILL/);
    expect(lines).toContain('last lines of taskmanager-1:');
    expect(lines).toContain('Error: no such module');
    expect(world.clock.monotonic() - before).toBeLessThan(10_000);
  });

  it('fails it also when it was a JobManager that never led', async () => {
    world.letsLead = false;
    const dies = when('waiting-for-jobmanager', () => {
      world.platform.crash(demo, 'jobmanager-0');
    });
    const [died] = await messagesOf(world.deploy({}, dies));
    expect(died).toContain('jobmanager-0');
    expect(died).toContain('exit code 1');
  });

  it('does not when it is a JobManager that has led: it goes on', async () => {
    world.registers = 0;
    const restarts = when('waiting-for-taskmanagers', () => {
      world.platform.crash(demo, 'jobmanager-0');
      world.clock.after(1500, () => {
        world.registers = Infinity;
        world.platform.restart(demo, 'jobmanager-0');
      });
    });
    await world.deploy({}, restarts);
    expect((await world.releases()).at(-1)).toBe('deploy stable');
    expect(world.platform.process(demo, 'jobmanager-0').restarts).toBe(1);
  });
});

describe('what an earlier run left', () => {
  it('counts never: neither its endpoint', async () => {
    await world.deploy();
    world.letsLead = false;
    const messages = await messagesOf(
      world.deploy({ application: 'second' }, { healthTimeoutMs: 3000 }),
    );
    expect(messages[0]).toBe('the JobManager of demo did not answer within 3 s');
  });

  it('nor its outcome', async () => {
    await world.deploy();
    await world.end(ApplicationStatus.succeeded);
    const { outcome } = await world.deploy({ application: 'second' });
    expect(outcome).toBeNull();
    expect(await world.processes()).toContain('jobmanager-0 running');
  });
});

it('ends with the outcome of an application that ends before it is healthy', async () => {
  world.registers = 0;
  const ends = when('waiting-for-taskmanagers', () => void world.end(ApplicationStatus.succeeded));
  const { outcome } = await world.deploy({}, ends);
  expect(outcome?.status).toBe(ApplicationStatus.succeeded);
});

it('expects nowhere that the first JobManager is the one that leads', async () => {
  world.close();
  world = new World({ jobManagers: 2 });
  await world.deploy();
  world.platform.crash(demo, 'jobmanager-0');
  await world.lead('jobmanager-1');
  world.platform.restart(demo, 'jobmanager-0');
  await world.scale(3);
  expect(await world.processes()).toHaveLength(5);
});
