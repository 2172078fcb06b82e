/**
 * Whatever clients do to a cluster one after the other, and wherever they are killed: its jobs go on from where
 * they were, or return to where a release had left them, and never begin from nothing.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deploy } from '../../../src/deployment/deploy.ts';
import { restart } from '../../../src/deployment/restart.ts';
import { releaseLock } from '../../../src/record/lock.ts';
import { CounterWorld, memoryPlatform } from './world.ts';

/** Number of the call after which the client dies, among those that change something; 0: it does not. */
const kill = fc.oneof(fc.constant(0), fc.integer({ min: 15, max: 60 }));

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('deploy' as const),
      version: fc.integer({ min: 1, max: 3 }),
      kill,
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('roll back' as const), kill }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('deploy what dies' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** For what a cluster in that state cannot do: there is nothing to return to, or nothing runs. */
const orNot = (error: Error & { readonly exitCode?: number }) =>
  expect([5, 7, 8, 9], error.stack).toContain(error.exitCode);

async function take(world: CounterWorld, taken: Step): Promise<void> {
  switch (taken.what) {
    case 'deploy': {
      const { version } = taken;
      if (taken.kill === 0) await world.deploy({ version });
      else
        await world.killedAt(taken.kill, async (provider, engine) =>
          deploy(await world.input({ version }, provider, engine), world.options()),
        );
      return;
    }
    case 'roll back':
      if (taken.kill === 0) await world.rollback().catch(orNot);
      else await world.killedAt(taken.kill, (provider, engine) => world.rollback(provider, engine));
      return;
    case 'deploy what dies':
      return world.deploy({ version: 4, dies: true }).then(() => {}, orNot);
    case 'crash':
      return world.crash();
    case 'restart': {
      const input = { ...(await world.input()), clusterId: world.id };
      await restart(input, { process: null, role: null }, world.options()).catch(orNot);
    }
  }
}

/** @param from events before that were looked at. */
function expectNothingLost(world: CounterWorld, job: number, from: number, mayReturn: boolean) {
  const events = world.eventsOf(job);
  const told = JSON.stringify(events);
  for (const [index, { count, what }] of events.entries()) {
    const before = events[index - 1];
    if (index < from || before === undefined) continue;
    if (what === 'suspended') expect(before.what, told).not.toBe('suspended');
    if (what !== 'started') continue;
    expect(count, told).toBeGreaterThan(0);
    if (mayReturn) continue;
    if (before.what === 'suspended') expect(count, told).toBe(before.count);
    else expect(count, told).toBeGreaterThanOrEqual(before.count);
  }
}

it('loses nothing', { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const world = await CounterWorld.open(memoryPlatform);
      try {
        await world.deploy();
        await world.checkpointed();
        let mayReturn = false;
        let seen = 0;
        for (const taken of [...steps, { what: 'deploy', version: 1, kill: 0 } as const]) {
          // A rollback that was killed is gone on with by what comes next.
          mayReturn ||= taken.what === 'roll back';
          await take(world, taken);
          await releaseLock(world.record);
          for (const job of [0, 1]) expectNothingLost(world, job, seen, mayReturn);
          seen = Math.min(world.eventsOf(0).length, world.eventsOf(1).length);
          mayReturn &&= taken.what !== 'deploy' || taken.kill !== 0;
        }
        expect((await world.releases()).at(-1)!.status).toBe('stable');
      } finally {
        await world.close();
      }
    }),
    { numRuns: 8 },
  ),
);
