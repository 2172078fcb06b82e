/** What a deployment leaves that failed: on a platform in memory, with a clock on which time passes by itself. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { ApplicationStatus } from '../../../src/contract/outcome.ts';
import { FailedDeployment } from '../../../src/deployment/operation/failure.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { readDocument } from '../../../src/record/record.ts';
import { World } from '../world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const soon = { healthTimeoutMs: 2000 };
const failureOf = async (failing: Promise<unknown>): Promise<FailedDeployment> => {
  const error = await failing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FailedDeployment)) throw new Error('it did not fail', { cause: error });
  return error;
};
const journal = async () => {
  const { value } = await readDocument(world.provider().record(demo), DocumentName.jobs);
  return value?.jobs.map(({ name }) => name);
};

describe('a first deployment that fails', () => {
  it('leaves no process, and a record that says why', async () => {
    world.registers = 0;
    await failureOf(world.deploy({}, soon));
    expect(await world.processes()).toEqual([]);
    expect(await world.releases()).toEqual(['deploy failed']);
    expect(await world.outcome()).toMatchObject({
      status: ApplicationStatus.failed,
      error: { message: 'only 0 of 2 TaskManagers registered within 2 s' },
    });
  });

  it('writes no secret into the record, whatever the error says', async () => {
    world.registers = 0;
    const redactor = { mask: (text: string) => text.replaceAll('registered', '******') };
    await failureOf(world.deploy({}, { ...soon, redactor }));
    expect((await world.outcome())?.error?.message).toBe(
      'only 0 of 2 TaskManagers ****** within 2 s',
    );
    const { value } = await readDocument(world.provider().record(demo), DocumentName.audit);
    expect(JSON.stringify(value)).not.toContain('registered');
  });

  it('is followed by one that begins anew', async () => {
    world.registers = 0;
    await failureOf(world.deploy({}, soon));
    world.registers = Infinity;
    const { outcome } = await world.deploy();
    expect(outcome).toBeNull();
    expect(await world.processes()).toHaveLength(3);
  });
});

describe('a deployment that goes on with a crashed run and fails', () => {
  it('leaves no process, keeps the journal and writes no outcome', async () => {
    await world.deploy();
    for (const name of world.platform.cluster(demo).processes.keys())
      world.platform.exit(demo, name, 1);
    const before = await journal();
    world.letsLead = false;
    await failureOf(world.deploy({}, soon));
    expect(await world.processes()).toEqual([]);
    expect(await journal()).toEqual(before);
    expect(before).toEqual(['endless']);
    expect(await world.outcome()).toBeNull();
  });
});

describe('an upgrade that fails', () => {
  const upgrade = { application: 'second', slots: 2 };

  it('leaves what runs now, when nobody asked for more', async () => {
    await world.deploy();
    world.registers = 0;
    const { rolledBackTo } = await failureOf(world.deploy(upgrade, soon));
    expect(rolledBackTo).toBeNull();
    expect(await world.processes()).toHaveLength(3);
    expect(await world.slots()).toEqual(['2']);
    expect(await world.releases()).toEqual(['deploy stable', 'deploy failed']);
  });

  it('is rolled back when that was asked for', async () => {
    await world.deploy();
    world.registers = 0;
    const failure = await failureOf(
      world.deploy(upgrade, {
        ...soon,
        rollbackOnFailure: true,
        onEvent: ({ type }) => {
          if (type === 'rolling-back') world.registers = Infinity;
        },
      }),
    );
    expect(failure.rolledBackTo).toMatchObject({ number: 1 });
    expect(failure.problems.map(({ code }) => code)).toContain('rolled-back');
    expect(await world.slots()).toEqual(['1']);
    expect(await world.releases()).toEqual([
      'deploy stable',
      'deploy rolled-back',
      'rollback stable',
    ]);
  });

  it('says so when the release before fails, too', async () => {
    await world.deploy();
    world.registers = 0;
    const options = { ...soon, rollbackOnFailure: true };
    const { problems, rolledBackTo } = await failureOf(world.deploy(upgrade, options));
    expect(rolledBackTo).toBeNull();
    expect(problems.find(({ code }) => code === 'rollback-failed')?.message).toContain(
      'the rollback failed, too: only 0 of 2 TaskManagers registered',
    );
  });

  it('says so when there is nothing to return to', async () => {
    world.registers = 0;
    const options = { ...soon, rollbackOnFailure: true };
    const { problems } = await failureOf(world.deploy({}, options));
    expect(problems.map(({ code }) => code)).toContain('nothing-to-roll-back-to');
  });

  it('of a job that fails again and again is told with what the job says', async () => {
    await world.deploy();
    const tick = () => {
      world.failures++;
      world.clock.after(300, tick);
    };
    world.clock.after(300, tick);
    const { problems } = await failureOf(world.deploy(upgrade));
    expect(problems[0]?.message).toMatch(
      /^job 'endless' failed \d times and starts again: Error: it always fails$/,
    );
  });
});
