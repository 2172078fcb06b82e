/** A cluster that has just ended is waited for, until its processes have left; any other is not. */
import { systemClock } from '../../../src/contract/clock.ts';
import { expect, it } from 'vitest';
import { NOT_YET } from '../../../src/record/documents.ts';
import { Role } from '../../../src/contract/process-spec.ts';
import { readSituation } from '../../../src/deployment/operation/situation.ts';
import { engines } from '../../../src/engines/registry.ts';
import type { ObservedProcess, Provider } from '../../../src/providers/provider.ts';

const { signal } = new AbortController();

interface Told {
  readonly endpoint: number;
  readonly outcome: number;
  readonly afterEpoch: number;
}

/** Its only TaskManager runs for as many looks as `leavesAfter` says. */
function cluster({ endpoint, outcome, afterEpoch }: Told, leavesAfter: number) {
  const documents: Record<string, unknown> = {
    endpoint: { epoch: endpoint },
    outcome: { epoch: outcome },
    releases: { releases: [{ number: 1, afterEpoch }] },
  };
  let looks = 0;
  const provider = {
    record: () => ({
      read: async (names: readonly string[]) =>
        new Map(
          names
            .filter((name) => name in documents)
            .map((name) => [name, { version: '1', value: documents[name], ageMs: null }]),
        ),
    }),
    observe: async () => ({
      clusterId: 'demo',
      processes: [
        {
          name: 'taskmanager-0',
          role: Role.taskmanager,
          status: ++looks > leavesAfter ? 'exited' : 'running',
        } as ObservedProcess,
      ],
    }),
  } as unknown as Provider;
  return { provider, looks: () => looks };
}

it('waits for the processes of an application that has ended', async () => {
  const { looks, provider } = cluster({ endpoint: 2, outcome: 2, afterEpoch: 1 }, 3);
  const { observed } = await readSituation(
    { provider, engines, clock: systemClock, signal },
    'demo',
  );
  expect(observed?.processes.map((p) => p.status)).toEqual(['exited']);
  expect(looks()).toBe(4);
});

it.each([
  ['one that runs again', { endpoint: 3, outcome: 2, afterEpoch: 2 }],
  ['one that a deployment has begun to start', { endpoint: 2, outcome: 2, afterEpoch: 2 }],
  ['one whose JobManager is being replaced', { endpoint: 2, outcome: 2, afterEpoch: NOT_YET }],
])('does not wait for %s', async (_, told) => {
  const { looks, provider } = cluster(told, 1);
  const { observed } = await readSituation(
    { provider, engines, clock: systemClock, signal },
    'demo',
  );
  expect(observed?.processes.map((p) => p.status)).toEqual(['running']);
  expect(looks()).toBe(1);
});
