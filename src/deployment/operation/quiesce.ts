/** Before the processes of a cluster are ended for good. */
import type { ObservedCluster } from '../../providers/provider.ts';
import { jobManagersOf } from '../../providers/shared/job-managers.ts';
import { endCluster } from '../cancel.ts';
import { type Site, findLeader } from '../site.ts';

/**
 * Lets a JobManager that answers cancel what runs, so that sinks remove what they have begun: to a process
 * a signal says only that it has to go. Whatever keeps it from doing so is no reason to keep the processes.
 */
export async function quiesce(
  site: Site,
  observed: ObservedCluster,
  signal: AbortSignal,
): Promise<void> {
  const { clusterId } = observed;
  const running = jobManagersOf(observed).filter(({ status }) => status === 'running');
  if (running.length === 0) return;
  const graceMs = Math.max(...running.map(({ spec }) => spec?.stop.gracePeriodMs ?? 0));
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(graceMs)]);
  try {
    const leader = await findLeader(site, clusterId);
    if (leader === null) return;
    const { clusterId: found } = await leader.api.info();
    if (found !== clusterId) return; // The port belongs to another cluster now.
    await endCluster(site, leader, clusterId, inTime, (api) => api.shutDown());
  } catch {
    signal.throwIfAborted();
  }
}
