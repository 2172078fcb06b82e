/**
 * Application bundles by their content hash.
 *
 * B1  What is found under a hash has that hash: uploads are verified before they get their name.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeHashed } from '../../contract/hash.ts';
import type { BlobStore } from './cluster-view.ts';

export interface BlobStoreOptions {
  /** Folder for uploads. */
  readonly directory: string;
  /** Files that lie somewhere else, placed and verified by the provider: hash → file. */
  readonly placed: ReadonlyMap<string, string>;
}

const isHash = (text: string) => /^[0-9a-f]{64}$/.test(text);

export function createBlobStore({ directory, placed }: BlobStoreOptions): BlobStore {
  const find = async (hash: string) => {
    if (!isHash(hash)) return null; // and so no path
    const file = placed.get(hash) ?? join(directory, hash);
    const there = await stat(file).catch(() => null);
    return there?.isFile() ? { file, sizeBytes: there.size } : null;
  };
  return {
    find,
    put: async (hash, content) => {
      if (await find(hash)) return 'exists';
      if (!isHash(hash)) {
        content.resume();
        return 'hash-differs';
      }
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const temporary = join(directory, `.${hash}.${randomBytes(6).toString('hex')}`);
      try {
        if ((await writeHashed(content, temporary)) !== hash) return 'hash-differs';
        await rename(temporary, join(directory, hash)); // B1
        return 'created';
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
