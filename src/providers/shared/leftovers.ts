/** What is left of clusters, and why; the same reasons on every place. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Call } from '../../contract/call.ts';
import type { Leftover, ObservedCluster } from '../provider.ts';
import { liveliestJobManager } from './job-managers.ts';

/** Why the processes of a cluster that still run are leftovers; `null`: they are not. */
export function whyWithoutJobManager(observed: ObservedCluster | null): string | null {
  const best = liveliestJobManager(observed);
  if (best?.status === 'lost')
    return `the JobManager of its cluster ${observed!.clusterId} is gone`;
  if (best?.status === 'exited') return `its cluster ${observed!.clusterId} has ended`;
  return null;
}

/** Of processes whose cluster has nothing else any more. */
export const whyRemoved = (clusterId: ClusterId): string => `its cluster ${clusterId} was removed`;

/** Whether a leftover is still found: the world may have changed since it was listed. */
export async function isStillLeft(
  leftover: Leftover,
  find: (call: Call) => Promise<readonly Leftover[]>,
  call: Call,
): Promise<boolean> {
  const isSame = ({ clusterId, ref }: Leftover) =>
    clusterId === leftover.clusterId && isDeepStrictEqual(ref, leftover.ref);
  return (await find(call)).some(isSame);
}
