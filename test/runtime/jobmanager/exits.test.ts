/**
 * Every way in which the process of a JobManager ends, and its exit code. Those of a TaskManager are in
 * `taskmanager/failures.test.ts`, and the one of a slot that hangs in native code in the isolation tests.
 */
import { createServer, type AddressInfo } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProcessExit } from '../../../src/contract/process-exit.ts';
import type { DocumentName } from '../../../src/record/documents.ts';
import { createFileStore } from '../../../src/record/drivers/file.ts';
import { readDocument } from '../../../src/record/record.ts';
import { ApplicationCluster } from './application-cluster.ts';

let cluster: ApplicationCluster;
beforeEach(() => {
  cluster = new ApplicationCluster();
});
afterEach(() => cluster.close());

/** `main()` ends at once, or never. */
const application = (end: 'at once' | 'never') =>
  cluster.application(
    end === 'at once'
      ? 'export async function main() {}'
      : 'export const main = () => new Promise((resolve) => setInterval(() => {}, 1000));',
  );

async function exitOf(child: ChildProcess): Promise<number | null> {
  await cluster.until(() => child.exitCode !== null);
  return child.exitCode;
}

const leads = (epoch: number) =>
  cluster.until(async () => (await cluster.endpoint())?.epoch === epoch);

async function put(name: DocumentName, value: object): Promise<void> {
  const record = createFileStore(cluster.path('record'));
  const { version } = await readDocument(record, name);
  await record.write(name, value, version);
}

const releaseAfter = (afterEpoch: number) =>
  put('releases', { releases: [{ release: 'r1', afterEpoch }] });

it('0: the outcome is written, and one that is started again finds it', async () => {
  await application('at once');
  await releaseAfter(0);
  const first = await cluster.jobManager({ taskManagers: 0 });
  expect(await exitOf(first)).toBe(ProcessExit.over);
  expect(await cluster.outcome()).toMatchObject({ status: 'SUCCEEDED', epoch: 1 });
  expect(await exitOf(await cluster.jobManager())).toBe(ProcessExit.over);
  expect((await cluster.outcome()).epoch).toBe(1);
});

it('143: its platform ended it, and nothing is over', async () => {
  await application('never');
  const jobManager = await cluster.jobManager();
  await leads(1);
  jobManager.kill('SIGTERM');
  expect(await exitOf(jobManager)).toBe(ProcessExit.terminated);
  expect(await cluster.hasOutcome()).toBe(false);
});

it('75: its platform ended it because a newer release was deployed', async () => {
  await application('never');
  const jobManager = await cluster.jobManager({ taskManagers: 0 });
  await leads(1);
  await releaseAfter(1);
  jobManager.kill('SIGTERM');
  expect(await exitOf(jobManager)).toBe(ProcessExit.replaced);
  expect(await cluster.outcome()).toMatchObject({ status: 'CANCELED', epoch: 1 });
});

it('143, when it is told to: it waits while another JobManager leads', async () => {
  await application('never');
  await releaseAfter(0);
  const first = await cluster.jobManager();
  await leads(1);
  const second = await cluster.jobManager();
  await leads(2);
  const log = () => cluster.lines('logs/jobmanager-0.log').join('\n');
  await cluster.until(() => log().includes('waits to be ended'));
  expect(first.exitCode).toBeNull();
  first.kill('SIGTERM');
  expect(await exitOf(first)).toBe(ProcessExit.terminated);
  expect(second.exitCode).toBeNull();
});

it('0, when the cluster ends: one that another displaced does not outlive it', async () => {
  await application('never');
  await releaseAfter(0);
  const first = await cluster.jobManager();
  await leads(1);
  await put('endpoint', { ...(await cluster.endpoint())!, epoch: 2 });
  const log = () => cluster.lines('logs/jobmanager-0.log').join('\n');
  await cluster.until(() => log().includes('waits to be ended'));
  await put('outcome', { status: 'SUCCEEDED', epoch: 2 });
  expect(await exitOf(first)).toBe(ProcessExit.over);
});

it('1: it cannot start, or crashed', async () => {
  await application('never');
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const rest = { bind: '127.0.0.1', port, maxBodyBytes: 1e7, hosts: [], allowedOrigins: [] };
  expect(await exitOf(await cluster.jobManager({ rest }))).toBe(ProcessExit.failed);
  taken.close();
  expect(await exitOf(await cluster.jobManager({ auth: 'token' }))).toBe(ProcessExit.failed);
});
