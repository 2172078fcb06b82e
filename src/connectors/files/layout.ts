/**
 * A sink's folder:
 *
 *     DIR/part-0.csv, part-1.csv …           published
 *     DIR/.staging-JOBID-EPOCH.csv/part-SUBTASK-ATTEMPT.csv   being written
 *     DIR/.staging-JOBID-EPOCH.csv/COMMIT    the decision to publish, and what
 */
import { basename, join } from 'node:path/posix';
import type { FileSystem } from '../../storage/file-system.ts';

const stagingPrefix = '.staging-';

/** Whose a staging folder is: of a job, under the JobManager of that epoch. */
export interface StagingOwner {
  readonly jobId: string;
  readonly epoch: number;
}

/** One for each format: sinks of one job may write to the same folder. */
export const stagingFolder = (folder: string, { epoch, jobId }: StagingOwner, suffix: string) =>
  join(folder, `${stagingPrefix}${jobId}-${epoch}${suffix}`);

/** @returns `null` for a staging folder of another job or format. */
export function epochOf(staging: string, jobId: string, suffix: string): number | null {
  const name = basename(staging);
  const prefix = `${stagingPrefix}${jobId}-`;
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return null;
  const epoch = name.slice(prefix.length, -suffix.length);
  return /^\d+$/.test(epoch) ? Number(epoch) : null;
}

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
