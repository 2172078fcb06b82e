/** The job of a per-job cluster, on a real dispatcher. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/contract/json.ts';
import { OnlyJob } from '../../../../src/runtime/jobmanager/dispatcher/only-job.ts';
import { type FakeCluster, startFakeCluster } from '../fake-cluster.ts';
import { pipeline } from '../graphs.ts';

let cluster: FakeCluster;
let only: OnlyJob;
const submissionTimeoutMs = 120_000;
let isUploading = false;
const ends: [status: string, message: string | null][] = [];

beforeEach(async () => {
  cluster = await startFakeCluster();
  ends.length = 0;
  isUploading = false;
  only = new OnlyJob({
    dispatcher: cluster.dispatcher,
    journal: { past: [] },
    resourceId: 'jobmanager-0',
    clock: cluster.clock,
    submissionTimeoutMs,
    isUploading: () => isUploading,
    ended: (status, error) => ends.push([status, error?.message ?? null]),
  });
});
afterEach(() => cluster.close());

const request = (jobId: string) => ({
  jobId: jobId.repeat(32),
  graph: pipeline('j', 1) as unknown as JsonObject,
});

it('ends a cluster whose client died before it submitted the job', () => {
  only.expect();
  cluster.clock.advance(119_999);
  expect(ends).toEqual([]);
  cluster.clock.advance(1);
  expect(ends).toEqual([['FAILED', 'no job was submitted: the client ended too early']]);
});

it('does not end while somebody sends a file that its job needs', () => {
  only.expect();
  isUploading = true;
  cluster.clock.advance(300_000);
  expect(ends).toEqual([]);
  isUploading = false;
  cluster.clock.advance(120_000);
  expect(ends).toHaveLength(1);
});

it('waits for nobody any more once the job is there, or it is closed', async () => {
  only.expect();
  await only.submit(request('a'));
  cluster.clock.advance(120_000);
  expect(ends).toEqual([]);
  const closed = new OnlyJob({
    dispatcher: cluster.dispatcher,
    journal: { past: [] },
    resourceId: 'jobmanager-0',
    clock: cluster.clock,
    submissionTimeoutMs,
    isUploading: () => isUploading,
    ended: (status) => ends.push([status, null]),
  });
  closed.expect();
  closed.close();
  cluster.clock.advance(120_000);
  expect(ends).toEqual([]);
});

it('takes one job, and that one as often as it comes', async () => {
  expect(await only.submit(request('a'))).toMatchObject({ type: 'accepted' });
  expect(await only.submit(request('a'))).toMatchObject({ type: 'accepted' });
  expect(await only.submit(request('b'))).toEqual({
    type: 'refused',
    reason: 'conflict',
    message: `this cluster has its job already: ${'a'.repeat(32)}`,
  });
  expect(cluster.dispatcher.running).toHaveLength(1);
});

it('takes another job when the first was refused', async () => {
  const nonsense = { jobId: 'a'.repeat(32), graph: {} };
  expect(await only.submit(nonsense)).toMatchObject({ type: 'refused', reason: 'invalid' });
  expect(await only.submit(request('b'))).toMatchObject({ type: 'accepted' });
});

it('ends the cluster with the job', async () => {
  await only.submit(request('a'));
  const job = cluster.dispatcher.running[0]!;
  job.cancel();
  await job.ended;
  await expect.poll(() => ends).toEqual([['CANCELED', null]]);
});
