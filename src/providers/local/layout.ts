/**
 * Where things lie below the home of the local clusters:
 *
 *     clusters/ID/record/           documents: NAME.VERSION.json
 *     clusters/ID/secrets/NAME      mode 0600
 *     clusters/ID/artifacts/HASH
 *     clusters/ID/logs/PROCESS.log  and PROCESS.out
 *     clusters/ID/processes/PROCESS/{spec.json,process.json,...files}; see supervision.ts
 *     clusters/ID/work/PROCESS/
 *
 * Of a transient cluster that has ended only record and logs are there.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ClusterLayout {
  readonly root: string;
  readonly record: string;
  readonly secrets: string;
  readonly artifacts: string;
  readonly logs: string;
  readonly processes: string;
  readonly work: string;
}

export function clusterLayout(home: string, clusterId: string): ClusterLayout {
  const root = join(home, 'clusters', clusterId);
  const below = (name: string) => join(root, name);
  return {
    root,
    record: below('record'),
    secrets: below('secrets'),
    artifacts: below('artifacts'),
    logs: below('logs'),
    processes: below('processes'),
    work: below('work'),
  };
}

/** Names in a folder, sorted; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names.sort((a, b) => (a < b ? -1 : 1));
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
