/** Retention, on the records of the local provider. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DocumentName } from '../../src/record/documents.ts';
import { removeExpired } from '../../src/deployment/destroy.ts';
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
async function cluster(clusterId: string, mode: string, documents: object = {}): Promise<void> {
  const all = {
    [DocumentName.cluster]: { mode, createdAt: 1, retentionMs },
    [DocumentName.releases]: { releases: [{ createdAt }] },
    ...documents,
  };
  for (const [name, value] of Object.entries(all)) {
    await provider.store(clusterId).write(name, 0, value);
  }
}

it('removes what ended before its retention, and nothing that may go on', async () => {
  const endpoint = { [DocumentName.endpoint]: { epoch: 1 } };
  const outcome = { [DocumentName.outcome]: { epoch: 1, endTime: createdAt + 500 } };
  await cluster('ended', 'application', { ...endpoint, ...outcome });
  await cluster('unfinished', 'application');
  await cluster('lost', 'per-job', endpoint);
  await cluster('abandoned', 'per-job');
  const at = (ms: number) => removeExpired(provider, createdAt + ms);
  expect(await at(retentionMs - 1)).toEqual([]);
  expect(await at(retentionMs)).toEqual(['abandoned']);
  expect(await at(retentionMs + 500)).toEqual(['ended']);
  expect(await at(1e9)).toEqual([]);
  expect(await provider.list()).toEqual(['lost', 'unfinished']);
});
