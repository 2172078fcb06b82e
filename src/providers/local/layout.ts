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
import { readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type ClusterId, isClusterId, parseClusterId } from '../../contract/cluster-id.ts';

export interface ClusterLayout {
  readonly root: string;
  readonly record: string;
  readonly secrets: string;
  readonly artifacts: string;
  readonly logs: string;
  readonly processes: string;
  readonly work: string;
}

/** @throws UsageError for what is no id of a cluster: its folder would be that of others. */
export function clusterLayout(home: string, clusterId: ClusterId): ClusterLayout {
  const root = resolve(home, 'clusters', parseClusterId(clusterId));
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

/**
 * Removes a file or folder of a cluster, with all that is in it. Whatever is removed for a cluster goes
 * through here.
 * @throws Error, and removes nothing, when it does not lie strictly below the cluster's folder.
 */
export async function removeOf({ root }: ClusterLayout, path: string): Promise<void> {
  const below = relative(root, resolve(path));
  if (below === '' || below.split(sep)[0] === '..' || isAbsolute(below))
    throw new Error(`${path} is not removed: it does not lie below ${root}`);
  await removeAll(path);
}

/** Removes the folder of a cluster. */
export async function removeCluster({ root }: ClusterLayout): Promise<void> {
  await removeAll(root);
}

/** Another client may write at the same time: a folder that fills meanwhile is emptied again. */
const removeAll = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });

/** Ids of the clusters below a home, sorted. What else lies there is none of ours. */
export async function clusterIdsIn(home: string): Promise<ClusterId[]> {
  const names: string[] = await readdir(join(home, 'clusters')).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return names.filter(isClusterId).sort();
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
