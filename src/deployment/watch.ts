/** Looks at a cluster again and again, for whoever waits for what becomes of it. */
import { pause } from '../contract/pause.ts';
import { lockStatus } from '../record/lock.ts';
import type { Site } from './site.ts';
import { ClusterState, type ClusterStatus, clusterStatus } from './status.ts';

const lookMs = 500;

/**
 * What is true about a cluster: at once, and then twice a second until the caller stops.
 * @param signal ends it with its reason.
 */
export async function* watchStatus(
  site: Site,
  clusterId: ClusterStatus['clusterId'],
  signal: AbortSignal,
): AsyncGenerator<ClusterStatus | null, never> {
  for (;;) {
    signal.throwIfAborted();
    yield await clusterStatus(site, clusterId);
    await pause(site.clock, lookMs, signal);
  }
}

const ended: ReadonlySet<ClusterState> = new Set([
  ClusterState.succeeded,
  ClusterState.failed,
  ClusterState.canceled,
  ClusterState.damaged,
]);
/** What a deployment makes something else of, while one is under way. */
const stuck: ReadonlySet<ClusterState> = new Set([ClusterState.lost, ClusterState.incomplete]);

/** Whether nothing more happens to a cluster unless somebody does something. */
export async function hasEnded(site: Site, { clusterId, state }: ClusterStatus): Promise<boolean> {
  if (ended.has(state)) return true;
  return stuck.has(state) && !(await lockStatus(site.provider.record(clusterId))).held;
}
