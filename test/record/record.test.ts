/** What the one reader says of a record; also of one that an earlier version of fctl wrote. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readAudit } from '../../src/deployment/audit.ts';
import { readReleases } from '../../src/deployment/releases.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { createFileStore } from '../../src/record/drivers/file.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';
import { acquireLock, lockStatus } from '../../src/record/lock.ts';
import {
  isOver,
  orDamage,
  readDocument,
  readEnd,
  readRecord,
  whyNoRecord,
} from '../../src/record/record.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-record-'));
  try {
    await cp(fileURLToPath(new URL('fixtures/v1', import.meta.url)), folder, { recursive: true });
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('reads the record of an earlier version, and goes on with it', () =>
  inFolder(async (folder) => {
    const store = createFileStore(folder);
    expect(await readRecord(store)).toMatchObject({
      cluster: { clusterId: 'flights', mode: 'application' },
      protocol: 1,
      currentRelease: { number: 2 },
      epoch: 2,
      leader: { process: 'jobmanager-0', resourceId: 'jobmanager-0/3fa94c01', epoch: 2 },
      isOver: false, // the outcome is of the run before
      isReleaseOver: false,
    });
    expect(await readReleases(store)).toHaveLength(2);
    expect(await readAudit(store)).toMatchObject([{ action: 'deploy', result: 'succeeded' }]);
    expect((await readDocument(store, DocumentName.jobs)).value?.release).toBe('r2aaaa');
    expect(await lockStatus(store)).toMatchObject({ held: false, lock: { epoch: 2 } });
    const { signal } = new AbortController();
    const lock = await acquireLock(store, 'destroy', { waitMs: 0, signal });
    expect(lock.epoch).toBe(3);
    await lock.release();
    const { value, version } = await readDocument(store, DocumentName.endpoint);
    expect(await store.write(DocumentName.outcome, { ...value, status: 'FAILED' }, '1')).toBe('2');
    expect([version, await isOver(store)]).toEqual(['2', true]);
  }));

it('knows the leader by the newest endpoint, whichever JobManager that is, and none once it is over', async () => {
  const store = new MemoryStore();
  const leader = async () => (await readRecord(store)).leader;
  expect(await leader()).toBeNull();
  let version: string | null = null;
  for (const [index, epoch] of [
    [0, 1],
    [2, 2],
    [1, 3],
  ] as const) {
    const jobmanager = { resourceId: `jobmanager-${index}/${epoch}`, pid: 1 };
    version = await store.write(DocumentName.endpoint, { epoch, jobmanager }, version);
    expect(await leader()).toEqual({
      resourceId: `jobmanager-${index}/${epoch}`,
      process: `jobmanager-${index}`,
      epoch,
    });
  }
  await store.write(DocumentName.outcome, { epoch: 2 }, null);
  expect((await leader())?.process).toBe('jobmanager-1');
  const { version: told } = await readDocument(store, DocumentName.outcome);
  await store.write(DocumentName.outcome, { epoch: 3 }, told);
  expect(await leader()).toBeNull();
});

it('says what is damaged where it is asked, and throws elsewhere', () =>
  inFolder(async (folder) => {
    const store = createFileStore(folder);
    await rm(join(folder, 'cluster.2.json'));
    expect(await whyNoRecord(store)).toBe('a cluster without a record');
    await cp(join(folder, 'lock.6.json'), join(folder, 'cluster.3.json'));
    const { truncate } = await import('node:fs/promises');
    await truncate(join(folder, 'cluster.3.json'), 9);
    expect(await whyNoRecord(store)).toBe('a cluster whose record is damaged');
    await expect(readRecord(store)).rejects.toThrow('is damaged');
    const { damage } = await orDamage(readRecord(store));
    expect(damage).toMatchObject({ code: 'record-damaged', file: join(folder, 'cluster.3.json') });
    expect(await isOver(store)).toBe(false);
  }));

it('takes an application that is suspended for one that goes on', async () => {
  const store = new MemoryStore();
  const jobmanager = { resourceId: 'jobmanager-0/1', pid: 1 };
  const leads = await store.write(DocumentName.endpoint, { epoch: 3, jobmanager }, null);
  await store.write(DocumentName.releases, { releases: [{ number: 1, afterEpoch: 2 }] }, null);
  const suspended = await store.write(
    DocumentName.outcome,
    { status: 'SUSPENDED', epoch: 3 },
    null,
  );
  const seen = async () => {
    const { epoch, isOver, isReleaseOver, isSuspended, leader } = await readRecord(store);
    return { epoch, isOver, isReleaseOver, isSuspended, leads: leader !== null };
  };
  const goesOn = { isOver: false, isReleaseOver: false, leads: true };
  expect(await seen()).toEqual({ ...goesOn, epoch: 3, isSuspended: true });
  expect([await readEnd(store), (await readRecord(store)).outcome]).toEqual([null, null]);
  // The next JobManager leads.
  await store.write(DocumentName.endpoint, { epoch: 4, jobmanager }, leads);
  expect(await seen()).toEqual({ ...goesOn, epoch: 4, isSuspended: false });
  await store.write(DocumentName.outcome, { status: 'SUCCEEDED', epoch: 4 }, suspended);
  expect(await seen()).toMatchObject({ isOver: true, isReleaseOver: true, isSuspended: false });
  expect(await readEnd(store)).toMatchObject({ status: 'SUCCEEDED' });
});
