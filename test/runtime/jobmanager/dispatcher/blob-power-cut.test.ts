/**
 * A power cut right after a blob was taken in: files lose what was not synced, folders the names that were
 * not. What was answered with `created` is there afterwards.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sha256 } from '../../../../src/contract/hash.ts';
import { createBlobStore } from '../../../../src/runtime/jobmanager/dispatcher/blob-store.ts';

/** What a power cut undoes. */
const disk = vi.hoisted(() => ({
  unsynced: new Set<string>(),
  renamed: new Map<string, string>(),
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...fs,
    open: async (path: string, ...rest: never[]) => {
      const handle = await fs.open(path, ...rest);
      const { appendFile, sync } = handle;
      handle.appendFile = async (...args) => {
        disk.unsynced.add(path);
        await appendFile.apply(handle, args);
      };
      handle.sync = async () => {
        await sync.apply(handle);
        disk.unsynced.delete(path);
        for (const to of disk.renamed.keys()) if (dirname(to) === path) disk.renamed.delete(to);
      };
      return handle;
    },
    rename: async (from: string, to: string) => {
      await fs.rename(from, to);
      disk.renamed.set(to, from);
      if (disk.unsynced.delete(from)) disk.unsynced.add(to);
    },
  };
});

async function cutPower(): Promise<void> {
  const { rename, truncate } =
    await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
  for (const path of disk.unsynced) await truncate(path);
  for (const [to, from] of disk.renamed) await rename(to, from);
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fctl-blobs-'));
});

afterEach(() => rm(directory, { recursive: true }));

it('takes no blob that was taken in', async () => {
  const content = 'export const x = 1;';
  const hash = sha256(content);
  const options = { directory, placed: new Map<string, string>() };
  const put = createBlobStore(options).put(hash, Readable.from(content.split('')));
  expect(await put).toBe('created');
  await cutPower();
  const found = await createBlobStore(options).find(hash);
  expect(await readFile(found!.file, 'utf8')).toBe(content);
});
