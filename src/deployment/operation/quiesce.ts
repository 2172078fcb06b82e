/** Before the processes of a cluster are ended for good. */
import { FctlRestClient } from '../../flink-rest/client.ts';
import type { ObservedCluster, Provider } from '../../providers/provider.ts';
import { endCluster } from '../cancel.ts';

const answerMs = 2000;

/**
 * Lets a JobManager that answers cancel what runs, so that sinks remove what they have begun: to a process
 * a signal says only that it has to go. Whatever keeps it from doing so is no reason to keep the processes.
 */
export async function quiesce(
  provider: Provider,
  { clusterId, processes }: ObservedCluster,
  signal: AbortSignal,
): Promise<void> {
  const master = processes.find(({ role }) => role === 'jobmanager');
  if (master?.status !== 'running') return;
  const graceMs = master.spec?.stop.gracePeriodMs ?? 0;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(graceMs)]);
  try {
    const endpoint = await provider.endpoint(clusterId);
    if (endpoint === null) return;
    const { token, url } = endpoint;
    const { clusterId: found } = await new FctlRestClient({
      url,
      token,
      timeoutMs: answerMs,
    }).cluster();
    if (found !== clusterId) return; // The port belongs to another cluster now.
    await endCluster(provider, endpoint, clusterId, inTime, (client) => client.shutDownCluster());
  } catch {
    signal.throwIfAborted();
  }
}
