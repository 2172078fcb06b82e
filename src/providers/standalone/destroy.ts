/**
 * Ends and removes a cluster on all hosts.
 *
 * D1  The JobManager ends first, it dismisses its TaskManagers; its host's folder goes last, for the record
 *     in it says what there is to remove. With a host of the config that does not answer it stays, too.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Host } from './host.ts';
import type { Hosts, Outcome } from './hosts.ts';
import type { DestroyOptions } from '../provider.ts';
import { tearDown } from '../shared/tear-down.ts';
import type { Clusters } from './clusters.ts';

/** @returns what may be left on hosts that left the config and do not answer, for people. */
export async function destroyCluster(
  hosts: Hosts,
  clusters: Clusters,
  clusterId: ClusterId,
  options: DestroyOptions,
): Promise<readonly string[]> {
  const { fence, signal } = options;
  const { record, silent, views } = await clusters.view(clusterId);
  const last = record?.host ?? null;
  const others = [...views.keys()].filter((host) => host !== last);
  const ask = async (some: readonly Host[], method: string) =>
    refuse(
      await hosts.ask(some, (host) => host.call(method, { clusterId, fence }, { signal })),
      signal,
    );
  const place = {
    endAll: async () => {
      if (last && views.has(last)) await ask([last], 'stopAll');
      await ask(others, 'destroy');
      const [missing] = [...silent].filter(([host]) => host.path !== null);
      if (missing && views.size > 0) throw missing[1]; // D1
    },
    removeRecord: async () => {
      if (last && views.has(last)) await ask([last], 'destroy');
    },
  };
  await tearDown(clusters.record(clusterId), place, options);
  return [...silent.keys()]
    .filter((host) => host.path === null)
    .map((host) => `what runs on ${host.address}, which left the config and does not answer`);
}

function refuse(outcomes: readonly Outcome<unknown>[], signal: AbortSignal): void {
  signal.throwIfAborted();
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
}
