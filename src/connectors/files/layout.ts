/**
 * A sink's folder:
 *
 *     DIR/part-0.csv, part-1.csv …           published
 *     DIR/.staging-JOBID.csv/part-SUBTASK-ATTEMPT.csv   being written
 *     DIR/.staging-JOBID.csv/COMMIT          the decision to publish, and what
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const stagingPrefix = '.staging-';

/** One for each format: sinks of one job may write to the same folder. */
export const stagingFolder = (folder: string, jobId: string, suffix: string) =>
  join(folder, `${stagingPrefix}${jobId}${suffix}`);
export const commitFile = (staging: string) => join(staging, 'COMMIT');
export const publishedName = (index: number, suffix: string) => `part-${index}${suffix}`;

/** Names of published part files. */
export async function publishedParts(folder: string, suffix: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter(
    (name) => /^part-\d+$/.test(name.slice(0, -suffix.length)) && name.endsWith(suffix),
  );
}

/** Staging folders, of any job. */
export async function stagingFolders(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.startsWith(stagingPrefix)).map((name) => join(folder, name));
}

/** Makes renames in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether an error says that a file is not there. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** For messages. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' ? 'the disk is full' : message;
}
