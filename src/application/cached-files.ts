/**
 * Files that a job registers by `env.registerCachedFile`: from where `main()` runs to the cluster.
 *
 * F1  The graph names a file by its content: where it was is no part of it.
 * F2  What the cluster has already is not sent again.
 */
import { type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JobDefinition } from '../api/job.ts';
import { sha256OfFile } from '../contract/hash.ts';
import { jobError } from '../graph/job-error.ts';
import type { CachedFile } from '../graph/job-graph.ts';

export type DeploymentMode = 'application' | 'per-job' | 'session';

/** Brings files to the cluster, by content hash. */
export interface BlobUploader {
  has(hash: string): Promise<boolean>;
  /** @param file absolute path. Rejects when its content does not have the hash. */
  upload(hash: string, file: string): Promise<void>;
}

/**
 * Uploads what is missing (F2).
 * @param paths by the name that the job gave.
 * @returns by the same names; `null`: there are none.
 * @throws ConfigError naming the file and the mode: it is not there, or no file.
 */
export async function shipCachedFiles(
  job: JobDefinition,
  paths: ReadonlyMap<string, string>,
  at: { readonly mode: DeploymentMode; readonly workingDirectory: string },
  uploader: BlobUploader,
): Promise<Readonly<Record<string, CachedFile>> | null> {
  if (paths.size === 0) return null;
  const shipped: [string, CachedFile][] = [];
  for (const [name, path] of paths) {
    const file = resolve(at.workingDirectory, path);
    const fail = (what: string, cause?: unknown) => {
      const where =
        at.mode === 'application'
          ? 'in application mode it is looked for on the machine of the JobManager, where main() runs'
          : `in ${at.mode} mode it is looked for on this machine, where main() runs`;
      return jobError(
        job,
        'cached-file',
        `the file ${file}, registered as '${name}', ${what} (${where})`,
        cause,
      );
    };
    const found = await stat(file).catch((error: NodeJS.ErrnoException): Stats => {
      if (error.code === 'ENOENT') throw fail('does not exist', error);
      throw fail(`cannot be read: ${error.message}`, error);
    });
    if (!found.isFile()) throw fail('is no file; a folder has to be packed into one');
    try {
      const hash = await sha256OfFile(file);
      if (!(await uploader.has(hash))) await uploader.upload(hash, file);
      shipped.push([name, { hash, sizeBytes: found.size }]);
    } catch (error) {
      throw fail(`cannot be brought to the cluster: ${(error as Error).message}`, error);
    }
  }
  return Object.fromEntries(shipped);
}
