/** Retention, on the records of the local provider. */
import { systemClock } from '../../src/contract/clock.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseClusterId } from '../../src/contract/cluster-id.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { ExitCode } from '../../src/contract/exit-codes.ts';
import { acquireLock } from '../../src/record/lock.ts';
import { destroyCluster, removeExpired } from '../../src/deployment/destroy.ts';
import { engines } from '../../src/engines/registry.ts';
import { createLocalProvider } from '../../src/providers/local/index.ts';
import type { Provider } from '../../src/providers/provider.ts';

let home: string;
let provider: Provider;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-destroy-'));
  provider = createLocalProvider({
    home,
    runtimeDir: home,
    supervisor: '/nowhere',
    node: process.execPath,
    environment: process.env,
  });
});
afterEach(() => rm(home, { recursive: true }));

const createdAt = 1_000_000;
const retentionMs = 1000;

/** A cluster that was deployed at `createdAt`. */
async function cluster(id: string, mode: string, documents: object = {}): Promise<void> {
  const all: Partial<Record<DocumentName, unknown>> = {
    [DocumentName.cluster]: { mode, createdAt: 1, retentionMs },
    [DocumentName.releases]: { releases: [{ createdAt }] },
    ...documents,
  };
  for (const [name, value] of Object.entries(all) as [DocumentName, unknown][]) {
    await provider.record(parseClusterId(id)).write(name, value, null);
  }
}

const endpoint = (epoch: number) => ({ [DocumentName.endpoint]: { epoch } });
const outcome = (epoch: number) => ({
  [DocumentName.outcome]: { epoch, endTime: createdAt + 500 },
});
const released = (afterEpoch: number) => ({
  [DocumentName.releases]: { releases: [{ createdAt, afterEpoch }] },
});
const { signal } = new AbortController();
const listed = async () => (await provider.list({ signal })).clusters;
const removeAt = (ms: number, by = provider) =>
  removeExpired({ provider: by, engines, clock: systemClock, signal }, createdAt + ms);

it('removes what ended before its retention, and nothing that may go on', async () => {
  await cluster('ended', 'application', { ...endpoint(1), ...outcome(1), ...released(0) });
  await cluster('unfinished', 'application');
  await cluster('lost', 'per-job', endpoint(1));
  await cluster('abandoned', 'per-job');
  expect(await removeAt(retentionMs - 1)).toEqual([]);
  expect(await removeAt(retentionMs)).toEqual(['abandoned']);
  expect(await removeAt(retentionMs + 500)).toEqual(['ended']);
  expect(await removeAt(1e9)).toEqual([]);
  expect(await listed()).toEqual(['lost', 'unfinished']);
});

it('keeps a cluster whose newest run is not over, though an earlier one is', async () => {
  await cluster('lost', 'application', { ...endpoint(2), ...outcome(1), ...released(1) });
  // The record has the deployment, and nothing of it has started yet.
  await cluster('coming', 'application', { ...endpoint(1), ...outcome(1), ...released(1) });
  expect(await removeAt(1e9)).toEqual([]);
  expect(await listed()).toEqual(['coming', 'lost']);
});

it('leaves alone what somebody else is at, and removes the others', async () => {
  const ended = { ...endpoint(1), ...outcome(1), ...released(0) };
  await cluster('busy', 'application', ended);
  await cluster('ended', 'application', ended);
  const lock = await acquireLock(provider.record(parseClusterId('busy')), 'deploy', {
    waitMs: 0,
    signal: new AbortController().signal,
  });
  try {
    expect(await removeAt(1e9)).toEqual(['ended']);
    expect(await listed()).toEqual(['busy']);
  } finally {
    await lock.release();
  }
  expect(await removeAt(1e9)).toEqual(['busy']);
});

it('does not count what another client removed while this one waited for the lock', async () => {
  await cluster('ended', 'application', { ...endpoint(1), ...outcome(1), ...released(0) });
  const atLock = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow: Provider = {
    ...provider,
    record: (id) => {
      const store = provider.record(id);
      const read: typeof store.read = async (names, call) => {
        if (names?.length === 1 && names[0] === DocumentName.lock) {
          atLock.resolve();
          await gate.promise;
        }
        return store.read(names, call);
      };
      return { ...store, read };
    },
  };
  const late = removeAt(1e9, slow);
  await atLock.promise;
  expect(await removeAt(1e9)).toEqual(['ended']);
  gate.resolve();
  expect(await late).toEqual([]);
  expect(await listed()).toEqual([]);
});

it('removes one cluster once when two clients do so at the same time', async () => {
  for (const id of ['one', 'two', 'three']) {
    await cluster(id, 'application', { ...endpoint(1), ...outcome(1), ...released(0) });
  }
  const both = await Promise.all([removeAt(1e9), removeAt(1e9)]);
  expect(both.flat().length).toBeLessThanOrEqual(3);
  expect([...both.flat(), ...(await removeAt(1e9))].toSorted()).toEqual(['one', 'three', 'two']);
  expect(await listed()).toEqual([]);
});

it('does not remove what was deployed again while it waited for the lock', async () => {
  await cluster('ended', 'application', { ...endpoint(1), ...outcome(1), ...released(0) });
  const destroyed = destroyCluster(
    { provider, engines, clock: systemClock, signal },
    parseClusterId('ended'),
    {
      lockWaitMs: 0,
      deleteState: false,
      signal: new AbortController().signal,
      isStillWanted: async () => false,
    },
  );
  await expect(destroyed).rejects.toMatchObject({ exitCode: ExitCode.conflict });
  expect(await listed()).toEqual(['ended']);
});
