/**
 * Archives that were made on this client, found again by a key of everything that went in.
 *
 * ```
 * runtimes/HASH.tar.gz       an archive
 * runtimes/made/KEY.json     which one was made of that; its time tells when it was used last
 * ```
 *
 * R1  An archive that is not what was written is not found.
 * R2  Those that were used last are kept, and whatever another fctl may be sending right now.
 */
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf, keepHash, readJson, removeAbandoned, replaceFile } from './cache.ts';

export interface RuntimeArchive {
  /** Lowercase hex SHA-256 of the uncompressed tar: names the content. */
  readonly hash: string;
  /** Absolute path of the tar.gz on the client. */
  readonly file: string;
  /** Of the tar.gz. */
  readonly sizeBytes: number;
  /** Lowercase hex SHA-256 of the tar.gz itself, for those who receive it; differs between machines. */
  readonly fileHash: string;
  /** `24.21.0`; `unknown` for an executable that does not run on the client. */
  readonly nodeVersion: string;
}

/** How many records are kept, at least. */
const keptRecords = 5;
/** An archive that was used within this time may be in use. */
const inUseMs = 3_600_000;

export const archiveFile = (folder: string, hash: string) => join(folder, `${hash}.tar.gz`);

const recordsOf = (folder: string) => join(folder, 'made');

const recordOf = (folder: string, key: string) => join(recordsOf(folder), `${key}.json`);

/** @param folder `runtimes` */
export async function findArchive(
  folder: string,
  key: string,
  cacheDir: string,
): Promise<RuntimeArchive | null> {
  const record = recordOf(folder, key);
  const kept = await readJson<RuntimeArchive>(record);
  if (kept === null) return null;
  const file = archiveFile(folder, kept.hash);
  const found = await stat(file).catch(() => null);
  if (found?.size !== kept.sizeBytes) return null; // R1
  if ((await hashOf(file, cacheDir)) !== kept.fileHash) return null; // R1
  await utimes(record, new Date(), new Date()).catch(() => {}); // somebody else may have removed it
  return { ...kept, file };
}

/** Records an archive that lies in its place now, and removes those that were not used for long (R2). */
export async function recordArchive(
  folder: string,
  key: string,
  archive: RuntimeArchive,
  cacheDir: string,
): Promise<void> {
  await keepHash(archive.file, archive.fileHash, cacheDir);
  await replaceFile(recordOf(folder, key), JSON.stringify(archive));
  await removeUnused(folder);
}

async function removeUnused(folder: string): Promise<void> {
  const records = await datedFiles(recordsOf(folder));
  const isOld = ({ mtimeMs }: DatedFile) => Date.now() - mtimeMs > inUseMs;
  const unused = new Set(records.slice(keptRecords).filter(isOld));
  const used = new Set<string | undefined>();
  for (const record of records) {
    if (unused.has(record)) await rm(record.path, { force: true });
    else used.add((await readJson<RuntimeArchive>(record.path))?.hash);
  }
  for (const archive of await datedFiles(folder)) {
    const hash = /([0-9a-f]{64})\.tar\.gz$/.exec(archive.path)?.[1];
    if (hash && !used.has(hash) && isOld(archive)) await rm(archive.path, { force: true });
  }
  await removeAbandoned(folder);
}

interface DatedFile {
  readonly path: string;
  readonly mtimeMs: number;
}

/** The newest first. */
async function datedFiles(folder: string): Promise<DatedFile[]> {
  const names = await readdir(folder);
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const stats = await stat(path).catch(() => null); // somebody else may be faster
      return stats?.isFile() ? [{ path, mtimeMs: stats.mtimeMs }] : [];
    }),
  );
  return found.flat().sort((a, b) => b.mtimeMs - a.mtimeMs);
}
