/**
 * A sink's folder:
 *
 *     DIR/part-0.csv, part-1.csv …           published
 *     DIR/.staging-JOBID.csv/part-SUBTASK-ATTEMPT.csv   being written
 *     DIR/.staging-JOBID.csv/COMMIT          the decision to publish, and what
 */
import { join } from 'node:path/posix';
import type { FileSystem } from '../../storage/file-system.ts';

const stagingPrefix = '.staging-';

/** One for each format: sinks of one job may write to the same folder. */
export const stagingFolder = (folder: string, jobId: string, suffix: string) =>
  join(folder, `${stagingPrefix}${jobId}${suffix}`);
export const commitFile = (staging: string) => join(staging, 'COMMIT');
export const publishedName = (index: number, suffix: string) => `part-${index}${suffix}`;

/** Names of published part files. */
export async function publishedParts(
  fileSystem: FileSystem,
  folder: string,
  suffix: string,
): Promise<string[]> {
  const entries = await fileSystem.list(folder);
  return entries
    .map(({ name }) => name)
    .filter((name) => /^part-\d+$/.test(name.slice(0, -suffix.length)) && name.endsWith(suffix));
}

/** Staging folders, of any job. */
export async function stagingFolders(fileSystem: FileSystem, folder: string): Promise<string[]> {
  const entries = await fileSystem.list(folder);
  return entries
    .filter(({ name }) => name.startsWith(stagingPrefix))
    .map(({ name }) => join(folder, name));
}
