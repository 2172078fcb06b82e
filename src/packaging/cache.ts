/**
 * Files that fctl keeps on the client because they are expensive to make again.
 *
 * C1  What lies under its name is whole: files are written under another name and take their place by a
 *     rename, so that callers in parallel are safe and the last one wins with the same bytes.
 * C2  A kept hash counts only for the very file that it was made of: same size, inode and times of
 *     change, to the nanosecond. The time of change of an inode cannot be set by hand.
 * C3  A file that changed a moment ago could change once more without its times doing so; its hash is
 *     not kept.
 */
import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProviderError, problem } from '../contract/errors.ts';
import { sha256, sha256OfFile } from '../contract/hash.ts';

/** Coarser than the times of change of any file system in use. */
const settledMs = 2000;

/** What an interrupted fctl left under another name is older than this. */
const abandonedMs = 3_600_000;

interface KeptHash {
  /** What was hashed (C2). */
  readonly identity: string;
  readonly sha256: string;
}

/** @returns lowercase hex SHA-256 of a file, which is read only when it has changed. */
export async function hashOf(file: string, cacheDir: string): Promise<string> {
  const before = await stat(file, { bigint: true });
  const kept = await readJson<KeptHash>(keptHashFile(file, cacheDir));
  if (kept?.identity === identityOf(before)) return kept.sha256;
  const found = await sha256OfFile(file);
  if (Date.now() - Number(before.ctimeMs) > settledMs) await keep(file, before, found, cacheDir); // C3
  return found;
}

/** Keeps the hash of a file that nobody but its writer knows yet. */
export async function keepHash(file: string, hash: string, cacheDir: string): Promise<void> {
  await keep(file, await stat(file, { bigint: true }), hash, cacheDir);
}

async function keep(file: string, stats: BigIntStats, hash: string, cacheDir: string) {
  const kept: KeptHash = { identity: identityOf(stats), sha256: hash };
  await replaceFile(keptHashFile(file, cacheDir), JSON.stringify(kept));
}

const keptHashFile = (file: string, cacheDir: string) =>
  join(cacheDir, 'hashes', `${sha256(file)}.json`);

const identityOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/** Another name for a file or folder that is to take its place by a rename (C1). */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
}

export async function replaceFile(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = temporaryName(file);
  await writeFile(temporary, content);
  await rename(temporary, file); // C1
}

/** @returns what the file holds; `null` when it is not there or no JSON. */
export async function readJson<T>(file: string): Promise<T | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

/** Removes what interrupted commands left in a folder under another name. */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\.[0-9a-f]{12}\.tmp$/.test(name)) continue;
    const path = join(folder, name);
    // Somebody else may be faster.
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > abandonedMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

const refusals: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'];

/** Runs what writes into the cache. @throws ProviderError when the cache cannot be written. */
export async function writingCache<T>(cacheDir: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const { code = '', message, path = '' } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const isRefused = refusals.includes(code) && path.startsWith(cacheDir);
    if (!isFull && !isRefused) throw error;
    throw new ProviderError(
      problem({
        code: isFull ? 'disk-full' : 'cache-not-writable',
        message: `fctl's cache, ${cacheDir}, cannot be written: ${message}`,
        hint: 'set XDG_CACHE_HOME to a folder that you may write, with 300 MiB free',
      }),
      { cause: error },
    );
  }
}
