/** Removes clusters: on request, or because they ended longer ago than their retention. */
import {
  DocumentName,
  type ClusterDocument,
  type EndpointDocument,
  type OutcomeDocument,
  type ReleasesDocument,
} from '../record/documents.ts';
import { ProviderError } from '../contract/errors.ts';
import { isRecordDamaged } from '../record/file-documents.ts';
import { type Provider, isAlive } from '../providers/provider.ts';
import { beginAudit } from './audit.ts';
import { noSuchCluster } from './cancel.ts';
import { acquireLock } from './operation/lock.ts';
import { quiesce } from './operation/quiesce.ts';

/**
 * Ends all processes of a cluster and removes everything of it.
 * @returns what holds state and was kept, for people.
 * @throws ClusterError (exit 7: no such cluster; exit 8: somebody deploys it).
 */
export async function destroyCluster(
  provider: Provider,
  clusterId: string,
  options: { lockWaitMs: number; deleteState: boolean; signal: AbortSignal },
): Promise<readonly string[]> {
  const observed = await provider.inspect(clusterId);
  if (observed === null) throw noSuchCluster(clusterId);
  const lock = await acquireLock(provider.store(clusterId), 'destroying the cluster', {
    waitMs: options.lockWaitMs,
    signal: options.signal,
  }).catch((error: unknown) => {
    if (isRecordDamaged(error)) return null; // then nobody can hold it
    throw error;
  });
  await lock?.abandon();
  const { deleteState, signal } = options;
  // With success the record goes, and the entry with it.
  const entry = lock === null ? null : await beginAudit(provider.store(clusterId), 'destroy', null);
  try {
    await quiesce(provider, observed, signal);
    return await provider.destroy(clusterId, { fence: lock?.epoch ?? null, deleteState, signal });
  } catch (error) {
    await entry?.failed(error, signal);
    throw error;
  }
}

/**
 * Removes what no cluster uses any more, and clusters that ended longer ago than their retention.
 * @returns what it was, for people.
 */
export async function prune(
  provider: Provider,
  now: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const clusters = await removeExpired(provider, now);
  return [...clusters.map((id) => `cluster ${id}`), ...(await provider.prune(signal))];
}

/**
 * Removes clusters that ended longer ago than their retention. Called by verbs that look at clusters.
 * @returns the ids of those removed.
 */
export async function removeExpired(provider: Provider, now: number): Promise<string[]> {
  const removed: string[] = [];
  const clusterIds = await provider.list();
  const ends = await Promise.all(clusterIds.map((id) => retainedUntil(provider, id)));
  for (const [index, clusterId] of clusterIds.entries()) {
    const end = ends[index] ?? null;
    if (end === null || end > now) continue;
    const observed = await provider.inspect(clusterId);
    if (observed?.processes.some(isAlive)) continue;
    await destroyCluster(provider, clusterId, {
      lockWaitMs: 0,
      deleteState: false,
      signal: AbortSignal.timeout(30_000),
    });
    removed.push(clusterId);
  }
  return removed;
}

/** `null`: it has not ended, or nobody can tell: its record is damaged, or where it lies does not answer. */
async function retainedUntil(provider: Provider, clusterId: string): Promise<number | null> {
  const store = provider.store(clusterId);
  try {
    const [cluster, outcome, endpoint, releases] = await Promise.all([
      store.read<ClusterDocument>(DocumentName.cluster),
      store.read<OutcomeDocument>(DocumentName.outcome),
      store.read<EndpointDocument>(DocumentName.endpoint),
      store.read<ReleasesDocument>(DocumentName.releases),
    ]);
    if (cluster.value === null) return null;
    const { mode, retentionMs } = cluster.value;
    if (outcome.value !== null) return outcome.value.endTime + retentionMs;
    // Nobody goes on with a per-job cluster whose client died before a JobManager led it.
    if (mode !== 'per-job' || endpoint.value !== null) return null;
    return (releases.value?.releases.at(-1)?.createdAt ?? cluster.value.createdAt) + retentionMs;
  } catch (error) {
    if (isRecordDamaged(error) || error instanceof ProviderError) return null;
    throw error;
  }
}
