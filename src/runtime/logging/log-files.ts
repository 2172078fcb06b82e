/**
 * The log files of a process, for those who ask for them from elsewhere.
 *
 * F1  A name is one that the folder lists; nothing else is ever opened, whatever a name looks like.
 */
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogFileInfo, LogRange } from '../rpc/protocol.ts';

/** So much is read at once. */
const maxRangeBytes = 1024 * 1024;

const logFile = /\.(?:log|out)(?:\.\d+)?$/;

/** Regular files only; a folder that cannot be read has none. Sorted by name. */
export async function listLogFiles(directory: string): Promise<LogFileInfo[]> {
  const names = await readdir(directory).catch((): string[] => []);
  const files = await Promise.all(
    names.filter((name) => logFile.test(name)).map((name) => infoOf(directory, name)),
  );
  return files.filter((file) => file !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** `null`: no regular file, or gone meanwhile. */
async function infoOf(directory: string, name: string): Promise<LogFileInfo | null> {
  const stats = await lstat(join(directory, name)).catch(() => null);
  if (!stats?.isFile()) return null;
  return { name, sizeBytes: stats.size, modified: Math.round(stats.mtimeMs) };
}

/**
 * @param range at most `maxRangeBytes` of it are read.
 * @returns `null`: there is no such file (F1).
 */
export async function readLogFile(
  directory: string,
  { length, name, offset }: LogRange,
): Promise<Uint8Array | null> {
  const known = await listLogFiles(directory);
  if (!known.some((file) => file.name === name)) return null;
  const file = await open(join(directory, name)).catch(() => null);
  if (file === null) return null;
  try {
    return await readRange(file, offset, Math.min(length, maxRangeBytes));
  } finally {
    await file.close();
  }
}

async function readRange(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
