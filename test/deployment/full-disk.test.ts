/** On a full disk neither the lock nor the audit log can be written: what ends and removes clusters works on. */
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { demo } from '../demo.ts';
import { parseClusterId } from '../../src/contract/cluster-id.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { ApplicationStatus } from '../../src/contract/outcome.ts';
import { cancel } from '../../src/deployment/cancel.ts';
import { destroyCluster, prune } from '../../src/deployment/destroy.ts';
import { engines } from '../../src/engines/registry.ts';
import { createLocalProvider } from '../../src/providers/local/index.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { DocumentName } from '../../src/record/documents.ts';
import { acquireLock } from '../../src/record/lock.ts';
import { describeWriteError, isRecordFull } from '../../src/record/store.ts';
import { onTmpfs, whyNoTmpfs } from '../tmpfs.ts';
import { World } from './world.ts';

const { signal } = new AbortController();
const noSpace = () => Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });

/** The same provider, whose records nobody can write into. */
const full = (provider: Provider): Provider => ({
  ...provider,
  record: (id) => ({
    ...provider.record(id),
    write: async () => {
      throw describeWriteError(noSpace(), id);
    },
  }),
});

function newWorld(): World {
  const world = new World();
  onTestFinished(() => world.close());
  return world;
}

it('cancels', async () => {
  const world = newWorld();
  await world.deploy();
  const outcome = await cancel(world.site(full(world.provider())), demo, null, signal);
  expect(outcome?.status).toBe(ApplicationStatus.canceled);
});

it('destroys without a lock, unless somebody holds it', async () => {
  const world = newWorld();
  await world.deploy();
  const held = await acquireLock(world.provider().record(demo), 'deploy', {
    waitMs: 0,
    signal,
    taker: { clock: world.clock },
  });
  await expect(world.destroy(full(world.provider()))).rejects.toThrow('is locked by');
  expect(await world.processes()).toHaveLength(3);
  await held.release();
  await world.destroy(full(world.provider()));
  expect(world.platform.clusterIds).toEqual([]);
});

it('deploys nothing, and says what is the matter', async () => {
  const world = newWorld();
  const failed = await world
    .deploy({}, {}, full(world.provider()))
    .catch((error: unknown) => error);
  expect(isRecordFull(failed)).toBe(true);
  expect(world.platform.cluster(demo).processes.size).toBe(0);
});

it.skipIf(whyNoTmpfs !== null)('destroys and prunes on a disk that is full', async () => {
  const home = await mkdtemp(join(tmpdir(), 'fctl-full-'));
  onTestFinished(() => rm(home, { recursive: true }));
  await onTmpfs(home, 512, async () => {
    const environment = process.env;
    const provider = createLocalProvider({
      home,
      environment,
      runtimeDir: home,
      supervisor: '/nowhere',
      node: process.execPath,
    });
    for (const id of ['wanted', 'expired'].map(parseClusterId)) {
      const record = provider.record(id);
      const cluster = { mode: 'application', createdAt: 1, retentionMs: 1 };
      await record.write(DocumentName.cluster, cluster, null);
      const releases = [{ createdAt: 1, afterEpoch: 0 }];
      await record.write(DocumentName.releases, { releases }, null);
      await record.write(DocumentName.endpoint, { epoch: 1 }, null);
      await record.write(DocumentName.outcome, { epoch: 1, endTime: 2 }, null);
    }
    await fill(home);
    const record = provider.record(parseClusterId('wanted'));
    const failed = await record.write(DocumentName.jobs, {}, null).catch((error: unknown) => error);
    expect(isRecordFull(failed)).toBe(true);
    const site = { provider, engines, clock: systemClock, signal };
    await destroyCluster(site, parseClusterId('wanted'), {
      lockWaitMs: 0,
      deleteState: false,
      signal,
    });
    await fill(home);
    expect(await prune(site, Date.now(), signal)).toEqual(['cluster expired']);
    expect((await provider.list({ signal })).clusters).toEqual([]);
  });
});

/** Until nothing more can be written. */
async function fill(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = await open(join(folder, 'filler'), 'a');
  const block = Buffer.alloc(4096);
  try {
    for (;;) await file.writeFile(block);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    await file.close();
  }
}
