/** A cluster that has just ended is waited for, until its processes have left; any other is not. */
import { systemClock } from '../../../src/contract/clock.ts';
import { FakePlatform, openFake } from 'fctl/provider-testing';
import { expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { NOT_YET } from '../../../src/record/documents.ts';
import { Role } from '../../../src/contract/process-spec.ts';
import { readSituation } from '../../../src/deployment/operation/situation.ts';
import { engines } from '../../../src/engines/registry.ts';
import type { ObservedProcess, Provider } from '../../../src/providers/provider.ts';
import { smallCluster } from '../../../src/providers/testing/small-cluster.ts';

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
  const { observed } = await readSituation({ provider, engines, clock: systemClock, signal }, demo);
  expect(observed?.processes.map((p) => p.status)).toEqual(['exited']);
  expect(looks()).toBe(4);
});

it.each([
  ['one that runs again', { endpoint: 3, outcome: 2, afterEpoch: 2 }],
  ['one that a deployment has begun to start', { endpoint: 2, outcome: 2, afterEpoch: 2 }],
  ['one whose JobManager is being replaced', { endpoint: 2, outcome: 2, afterEpoch: NOT_YET }],
])('does not wait for %s', async (_, told) => {
  const { looks, provider } = cluster(told, 1);
  const { observed } = await readSituation({ provider, engines, clock: systemClock, signal }, demo);
  expect(observed?.processes.map((p) => p.status)).toEqual(['running']);
  expect(looks()).toBe(1);
});

it('knows the jobs of a cluster whose first JobManager crashed while the second leads', async () => {
  const platform = new FakePlatform();
  const provider = openFake(platform);
  const spec = smallCluster({ clusterId: demo, clientDir: '/' });
  const [master] = spec.processes;
  for (const [index, name] of ['jobmanager-0', 'jobmanager-1'].entries())
    platform.start(spec, name, index, master!);
  const { record } = platform.cluster(demo);
  await record.write('jobs', { jobs: [{ id: 'a', outcome: null, vertices: [] }] }, null);
  await platform.lead(demo, 'jobmanager-1/3fa9', 'http://127.0.0.1:1');
  platform.exit(demo, 'jobmanager-0', 1);
  const site = { provider, engines, clock: systemClock, signal };
  const { isUnfinished, jobs, leader } = await readSituation(site, demo);
  expect(jobs.map(({ id }) => id)).toEqual(['a']);
  expect(leader).toBe('jobmanager-1');
  expect(isUnfinished).toBe(false);
  platform.exit(demo, 'jobmanager-1', 1);
  expect(await readSituation(site, demo)).toMatchObject({ jobs: [], isUnfinished: true });
});
