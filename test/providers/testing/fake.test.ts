/** The platform of tests does what a test says, and every client of it sees the same. */
import { setImmediate as tick } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FakePlatform, failingAt, openFake } from 'fctl/provider-testing';
import { demo } from '../../demo.ts';
import { actionOn, converge, smallCluster } from '../../../src/providers/testing/small-cluster.ts';

const { signal } = new AbortController();
const call = { signal };
const spec = smallCluster({ clusterId: demo, taskManager: '', clientDir: '/' });
const locked = { fence: 1, signal };

async function statuses(platform: FakePlatform): Promise<string[]> {
  const observed = await openFake(platform).observe(demo, call);
  return (observed?.processes ?? []).map(({ name, status }) => `${name} ${status}`);
}

it('holds a process back until there is room', async () => {
  const started: string[] = [];
  const platform = new FakePlatform({ onStart: ({ start }) => started.push(start.name) });
  const provider = openFake(platform);
  platform.pend(demo, 'taskmanager-0', 'no machine has 1 GiB');
  await converge(provider, spec, [actionOn(spec, 'jobmanager-0')], locked);
  await converge(provider, spec, [actionOn(spec, 'taskmanager-0')], locked);
  const observed = await provider.observe(demo, call);
  expect(observed!.processes[1]).toMatchObject({
    status: 'pending',
    reason: 'no machine has 1 GiB',
    startedAt: null,
  });
  expect(started).toEqual(['jobmanager-0']);
  platform.admit(demo, 'taskmanager-0');
  expect(await statuses(platform)).toEqual(['jobmanager-0 running', 'taskmanager-0 running']);
  expect(started).toEqual(['jobmanager-0', 'taskmanager-0']);
});

it('crashes, restarts and ends processes', async () => {
  const platform = new FakePlatform();
  const provider = openFake(platform);
  await converge(provider, spec, [actionOn(spec, 'jobmanager-0')], locked);
  platform.crash(demo, 'jobmanager-0', 137);
  expect(await statuses(platform)).toEqual(['jobmanager-0 restarting']);
  platform.restart(demo, 'jobmanager-0');
  const observed = await provider.observe(demo, call);
  expect(observed!.processes).toMatchObject([{ status: 'running', restarts: 1, exitCode: 137 }]);
  platform.exit(demo, 'jobmanager-0', 0);
  expect(await statuses(platform)).toEqual(['jobmanager-0 lost']);
  const { epoch } = await platform.lead(demo, 'jobmanager-0', 'http://127.0.0.1:1');
  await provider.record(demo).write('outcome', { epoch, status: 'SUCCEEDED' }, null);
  expect(await statuses(platform)).toEqual(['jobmanager-0 exited']);
});

it('leads to whom the record names, with the next epoch each time', async () => {
  const platform = new FakePlatform();
  const provider = openFake(platform);
  await converge(provider, spec, [actionOn(spec, 'jobmanager-0')], locked);
  expect(await provider.connect(demo, call)).toBeNull();
  await platform.lead(demo, 'jobmanager-0', 'http://127.0.0.1:1');
  await platform.lead(demo, 'jobmanager-1', 'http://127.0.0.1:2');
  const found = await provider.connect(demo, call);
  expect(found).toMatchObject({ leader: 'jobmanager-1', epoch: 2, url: 'http://127.0.0.1:2' });
});

it('keeps everybody waiting while it is stalled, but for who gives up', async () => {
  const platform = new FakePlatform();
  const provider = openFake(platform);
  platform.stall();
  const patient = provider.list(call);
  const giveUp = new AbortController();
  const impatient = converge(provider, spec, [actionOn(spec, 'jobmanager-0')], {
    fence: 1,
    signal: giveUp.signal,
  });
  giveUp.abort(new Error('given up'));
  await expect(impatient).rejects.toThrow('given up');
  expect(await Promise.race([patient.then(() => 'answered'), tick('waits')])).toBe('waits');
  platform.resume();
  expect(await patient).toEqual({ clusters: [], silent: [] });
});

it('tells whoever watches what changed, and nothing twice', async () => {
  const platform = new FakePlatform();
  const provider = openFake(platform);
  const seen: (string | undefined)[] = [];
  for await (const observed of provider.watch(demo, call)) {
    seen.push(observed?.processes[0]?.status);
    if (seen.length === 1) await converge(provider, spec, [actionOn(spec, 'jobmanager-0')], locked);
    if (seen.length === 2) platform.crash(demo, 'jobmanager-0');
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([undefined, 'running', 'restarting']);
});

it('fails at the call that was chosen, before or after it was done, and at no other', async () => {
  const steps = async (k: number, moment: 'before' | 'after') => {
    const platform = new FakePlatform();
    const failing = failingAt(openFake(platform), k, () => new Error('killed'), moment);
    const { provider } = failing;
    const outcome = await (async () => {
      await provider.record(demo).write('lock', { epoch: 1 }, null);
      await converge(provider, spec, [actionOn(spec, 'jobmanager-0')], locked);
      await provider.observe(demo, call);
      return 'done';
    })().catch((error: Error) => error.message);
    return {
      outcome,
      failed: failing.failed,
      calls: failing.calls.length,
      is: await statuses(platform),
    };
  };
  const runs = ['jobmanager-0 running'];
  expect(await steps(0, 'before')).toEqual({ outcome: 'done', failed: null, calls: 4, is: runs });
  const at = (failed: string, calls: number, is: string[]) => ({
    outcome: 'killed',
    failed,
    calls,
    is,
  });
  expect(await steps(1, 'before')).toEqual(at('record.write lock', 1, []));
  expect(await steps(2, 'before')).toEqual(at('converge', 2, []));
  expect(await steps(2, 'after')).toEqual(at('converge', 3, runs));
  expect(await steps(3, 'before')).toEqual(at('converge jobmanager-0', 3, []));
  expect(await steps(4, 'before')).toEqual(at('observe', 4, runs));
});
