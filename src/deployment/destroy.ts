/** Removes clusters: on request, or because they ended longer ago than their retention. */
import type { ClusterId } from '../contract/cluster-id.ts';
import { DocumentName } from '../record/documents.ts';
import { ClusterError, ProviderError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { readDocument, readRecord } from '../record/record.ts';
import { isRecordDamaged, isRecordFull } from '../record/store.ts';
import { type Provider, isAlive } from '../providers/provider.ts';
import { beginAuditAt } from './audit.ts';
import { noSuchCluster } from './cancel.ts';
import { type LockTaker, acquireLock } from '../record/lock.ts';
import { quiesce } from './operation/quiesce.ts';
import type { Site } from './site.ts';

export interface DestroyClusterOptions {
  readonly lockWaitMs: number;
  readonly deleteState: boolean;
  readonly signal: AbortSignal;
  /** Asked again once the lock is held; `false` refuses with exit 8. Absent: yes. */
  readonly isStillWanted?: () => Promise<boolean>;
  /** Of the lock. Default: this process, and the clock of the site. */
  readonly taker?: Partial<LockTaker>;
}

/**
 * Ends all processes of a cluster and removes everything of it. The lock is held until the record goes: who
 * waits for it must not begin to start processes while this ends them. Only where it cannot be written, on a
 * full disk, and nobody holds it, this goes without it.
 * @returns what holds state and was kept, for people.
 * @throws ClusterError (exit 7: no such cluster; exit 8: somebody deploys it).
 */
export async function destroyCluster(
  site: Site,
  clusterId: ClusterId,
  options: DestroyClusterOptions,
): Promise<readonly string[]> {
  const { provider } = site;
  const observed = await provider.observe(clusterId, options);
  if (observed === null) throw noSuchCluster(clusterId);
  const lock = await acquireLock(provider.record(clusterId), 'destroying the cluster', {
    waitMs: options.lockWaitMs,
    signal: options.signal,
    taker: { clock: site.clock, ...options.taker },
  }).catch((error: unknown) => {
    // Then nobody can hold it; or nobody does, and there is no space to take it: that is made now.
    if (isRecordDamaged(error) || isRecordFull(error)) return null;
    throw error;
  });
  let isGoing = false;
  try {
    if (options.isStillWanted !== undefined && !(await options.isStillWanted())) {
      throw noLongerWanted(clusterId);
    }
    const { deleteState } = options;
    const signal = lock === null ? options.signal : AbortSignal.any([options.signal, lock.lost]);
    const destroy = async () => {
      await quiesce(site, observed, signal);
      return provider.destroy(clusterId, {
        fence: lock?.epoch ?? null,
        deleteState,
        signal,
        onRecordGoes: async () => {
          isGoing = true;
          await lock?.abandon();
        },
      });
    };
    if (lock === null) return await destroy();
    // With success the record goes, and the entry with it.
    const entry = await beginAuditAt(site, clusterId, 'destroy');
    try {
      return await destroy();
    } catch (error) {
      if (!isGoing) await entry.failed(error, options.signal); // else it would make the record again
      throw error;
    }
  } finally {
    if (!isGoing) await lock?.release();
  }
}

const noLongerWanted = (clusterId: ClusterId) =>
  new ClusterError(
    ExitCode.conflict,
    problem({ code: 'no-longer-wanted', message: `cluster ${clusterId} was deployed meanwhile` }),
  );

/**
 * Removes what no cluster uses any more, and clusters that ended longer ago than their retention.
 * @returns what it was, for people.
 */
export async function prune(
  site: Site,
  now: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const clusters = await removeExpired(site, now);
  return [...clusters.map((id) => `cluster ${id}`), ...(await site.provider.prune({ signal }))];
}

/**
 * Removes clusters that ended longer ago than their retention. Called by verbs that change something, never
 * by those that look. What another client does with a cluster meanwhile is that client's business: a
 * cluster that is locked, gone or out of reach is left alone.
 * @returns the ids of those removed.
 */
export async function removeExpired(site: Site, now: number): Promise<ClusterId[]> {
  const { provider } = site;
  const removed: ClusterId[] = [];
  const { clusters: clusterIds } = await provider.list(site);
  const ends = await Promise.all(clusterIds.map((id) => retainedUntil(provider, id)));
  for (const [index, clusterId] of clusterIds.entries()) {
    const end = ends[index] ?? null;
    if (end !== null && end <= now && (await removeIfExpired(site, clusterId, now)))
      removed.push(clusterId);
  }
  return removed;
}

/** @returns whether it was removed here: not by somebody else, nor where somebody is at it, or where it runs. */
async function removeIfExpired(site: Site, clusterId: ClusterId, now: number): Promise<boolean> {
  const { provider } = site;
  try {
    const observed = await provider.observe(clusterId, site);
    if (observed === null || observed.processes.some(isAlive)) return false;
    let isThere = false;
    await destroyCluster(site, clusterId, {
      lockWaitMs: 0,
      deleteState: false,
      signal: AbortSignal.timeout(30_000),
      // Whoever held the lock until now may have deployed it again, or removed it: then the lock is all
      // that is there.
      isStillWanted: async () => {
        const { value } = await readDocument(provider.record(clusterId), DocumentName.cluster);
        isThere = value !== null;
        return value === null || ((await retainedUntil(provider, clusterId)) ?? Infinity) <= now;
      },
    });
    return isThere;
  } catch (error) {
    if (error instanceof ClusterError || error instanceof ProviderError) return false;
    throw error;
  }
}

/**
 * `null`: its newest run is not over (it runs, is LOST, or its deployment was interrupted), or nobody can
 * tell, for its record is damaged or where it lies does not answer.
 */
async function retainedUntil(provider: Provider, clusterId: ClusterId): Promise<number | null> {
  try {
    const { cluster, currentRelease, endpoint, isReleaseOver, outcome } = await readRecord(
      provider.record(clusterId),
    );
    if (cluster === null) return null;
    const { mode, retentionMs } = cluster;
    if (outcome !== null && isReleaseOver) return outcome.endTime + retentionMs;
    // Nobody goes on with a per-job cluster whose client died before a JobManager led it.
    if (mode !== 'per-job' || endpoint !== null || outcome !== null) return null;
    return (currentRelease?.createdAt ?? cluster.createdAt) + retentionMs;
  } catch (error) {
    if (isRecordDamaged(error) || error instanceof ProviderError) return null;
    throw error;
  }
}
