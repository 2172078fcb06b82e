/**
 * Operations on a cluster in memory: what they do when nothing is in the way, and what is left when their
 * client is killed at any of its calls.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failingAt } from 'fctl/provider-testing';
import { demo } from '../../demo.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { World } from '../world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const running = ['jobmanager-0 running', 'taskmanager-0 running', 'taskmanager-1 running'];

describe('an operation that nothing is in the way of', () => {
  it('starts what is wanted, and nothing the second time', async () => {
    const first = await world.deploy();
    expect(first.release).toMatchObject({ number: 1, status: 'stable' });
    expect(await world.processes()).toEqual(running);
    const before = world.platform.process(demo, 'jobmanager-0');
    const second = await world.deploy();
    expect(second.plan.changes).toBe(false);
    expect(world.platform.process(demo, 'jobmanager-0')).toBe(before);
    expect(await world.releases()).toEqual(['deploy stable']);
  });

  it('replaces what changed, scales, restarts, returns and removes', async () => {
    await world.deploy();
    await world.deploy({ slots: 3 });
    expect(await world.slots()).toEqual(['3']);
    await world.scale(3);
    expect(await world.processes()).toHaveLength(4);
    await world.restart();
    await world.rollback();
    expect(await world.slots()).toEqual(['3']);
    expect(await world.processes()).toEqual(running);
    expect(await world.destroy()).toEqual([]);
    expect(world.platform.clusterIds).toEqual([]);
  });

  it('uses the token that is there, whether or not anybody leads', async () => {
    world.letsLead = false;
    await expect(world.deploy({}, { healthTimeoutMs: 1000 })).rejects.toThrow('did not answer');
    const token = async () => (await world.provider().secrets(demo, world.site()))!['token'];
    const first = await token();
    world.letsLead = true;
    await world.deploy();
    expect(await token()).toBe(first);
  });
});

interface Scenario {
  readonly name: string;
  /** What is there before. */
  readonly before: () => Promise<unknown>;
  readonly act: (provider: Provider) => Promise<unknown>;
  /** What is true once the same was done again, to the end. */
  readonly after: () => Promise<void>;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'deploy',
    before: async () => {},
    act: (provider) => world.deploy({}, {}, provider),
    after: async () => expect(await world.processes()).toEqual(running),
  },
  {
    name: 'deploy of another release',
    before: () => world.deploy(),
    act: (provider) =>
      world.deploy({ slots: 2, taskManagers: 1, application: 'second' }, {}, provider),
    after: async () => {
      expect(await world.processes()).toEqual(running.slice(0, 2));
      expect(await world.slots()).toEqual(['2']);
    },
  },
  {
    name: 'rollback',
    before: async () => {
      await world.deploy();
      await world.deploy({ slots: 2, application: 'second' });
    },
    act: (provider) => world.rollback(provider),
    after: async () => {
      expect(await world.processes()).toEqual(running);
      expect(await world.slots()).toEqual(['1']);
    },
  },
  {
    name: 'scale',
    before: () => world.deploy(),
    act: (provider) => world.scale(1, provider),
    after: async () => expect(await world.processes()).toEqual(running.slice(0, 2)),
  },
  {
    name: 'restart',
    before: () => world.deploy(),
    act: (provider) => world.restart(provider),
    after: async () => expect(await world.processes()).toEqual(running),
  },
  {
    name: 'destroy',
    before: () => world.deploy(),
    act: (provider) => world.destroy(provider),
    after: async () => expect(world.platform.clusterIds).toEqual([]),
  },
];

const dead = () => new Error('the client is dead');

/** So often a call of one name is killed: what waits asks the same a hundred times. */
const enough = 5;

/** The numbers of an operation's calls, without the repetitions of those that ask again and again. */
async function callsOf({ act, before }: Scenario): Promise<readonly number[]> {
  world = new World();
  await before();
  const counting = failingAt(world.provider(), 0, dead);
  await act(counting.provider);
  world.close();
  const { calls } = counting;
  const seen = new Map<string, number>();
  return calls.flatMap((name, index) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times <= enough || index >= calls.length - enough ? [index + 1] : [];
  });
}

describe.each(scenarios)('a client that is killed during $name', (scenario) => {
  it.each(['before', 'after'] as const)(
    'leaves what the next one goes on with, %s any of its calls',
    async (moment) => {
      const calls = await callsOf(scenario);
      expect(calls.length).toBeGreaterThan(5);
      for (const k of calls) {
        world = new World();
        await scenario.before();
        const killed = failingAt(world.provider(), k, dead, moment, 'dead');
        await scenario.act(killed.provider).catch(() => {});
        const at = `killed at call ${k}, ${killed.failed}`;
        world.clock.skip(20_000); // nobody renews its lock
        try {
          await again(scenario);
        } catch (error) {
          throw new Error(at, { cause: error });
        }
        world.close();
      }
    },
  );
});

/** Does the same once more, and a deployment where that is what the error advises. */
async function again({ act, after, name }: Scenario): Promise<void> {
  // Whoever returns once more after a rollback that came to its end goes elsewhere.
  const isDone = name === 'rollback' && (await world.releases()).at(-1) === 'rollback stable';
  if (!isDone) {
    await act(world.provider()).catch(async (error: Error & { exitCode?: number }) => {
      if (name === 'destroy' && error.exitCode === 7) return; // it was gone already
      // What does not run cannot be scaled or restarted: the next deployment starts it.
      if ((name !== 'scale' && name !== 'restart') || error.exitCode !== 8) throw error;
      await world.deploy({ taskManagers: name === 'scale' ? 1 : 2 });
    });
  }
  await after();
  if (name === 'destroy') return;
  const releases = await world.releases();
  expect(releases.at(-1)).toMatch(/ stable$/);
  const { plan } = await replan();
  expect(plan).toBe(false);
}

/** Whether the release that runs would change anything. */
async function replan(): Promise<{ readonly plan: boolean }> {
  const [slots] = await world.slots();
  const taskManagers = (await world.processes()).length - 1;
  const application = slots === '2' ? 'second' : 'first';
  const result = await world.deploy({ taskManagers, slots: Number(slots), application });
  return { plan: result.plan.actions.some(({ kind }) => kind !== 'none') };
}
