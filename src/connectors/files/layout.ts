/**
 * A sink's folder:
 *
 *     DIR/part-0.csv, part-1.csv …           published
 *     DIR/.staging-JOBID/part-SUBTASK-ATTEMPT.csv   being written
 *     DIR/.staging-JOBID/COMMIT              the decision to publish, and what
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const stagingPrefix = '.staging-';

export const stagingFolder = (folder: string, jobId: string) =>
  join(folder, `${stagingPrefix}${jobId}`);
export const commitFile = (staging: string) => join(staging, 'COMMIT');

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

/** For messages. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' ? 'the disk is full' : message;
}
