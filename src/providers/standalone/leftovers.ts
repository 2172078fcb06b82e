/** What is left on hosts and belongs to no cluster that is known. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Call } from '../../contract/call.ts';
import type { Leftover } from '../provider.ts';
import { isStillLeft } from '../shared/leftovers.ts';
import type { SavedHost } from './agent/host-document.ts';
import type { Clusters } from './clusters.ts';
import type { Hosts } from './hosts.ts';

/** What the provider gave as `ref`: the host, and what its agent said. */
interface HostRef {
  readonly host: SavedHost;
  readonly leftover: Leftover;
}

export async function findLeftovers(
  hosts: Hosts,
  clusters: Clusters,
  { signal }: Call,
): Promise<readonly Leftover[]> {
  const outcomes = await hosts.ask(hosts.configured, (host) =>
    host.look<readonly Leftover[]>('leftovers', {}, { signal }),
  );
  const found: Leftover[] = [];
  for (const outcome of outcomes) {
    if (!outcome.ok) throw outcome.error; // what it would say is not known
    const { host } = outcome;
    for (const leftover of outcome.value ?? []) {
      // Only one host has the record.
      if (leftover.kind === 'folder' && !(await isLost(clusters, leftover.clusterId))) continue;
      const ref: HostRef = { host: host.saved, leftover };
      found.push({ ...leftover, what: `${host.address}: ${leftover.what}`, ref });
    }
  }
  return found;
}

/** Whether no host knows what the cluster is. */
async function isLost(clusters: Clusters, clusterId: ClusterId): Promise<boolean> {
  const { record, silent, views } = await clusters.view(clusterId);
  if (record === null) return silent.size === 0;
  const view = views.get(record.host);
  if (view === undefined) return !silent.has(record.host);
  return !view.described;
}

export async function removeLeftover(
  hosts: Hosts,
  clusters: Clusters,
  leftover: Leftover,
  call: Call,
): Promise<void> {
  const find = () => findLeftovers(hosts, clusters, call);
  if (!(await isStillLeft(leftover, find, call))) return;
  const { host, leftover: told } = leftover.ref as HostRef;
  const { signal } = call;
  await hosts.find(host).call('removeLeftover', { leftover: told }, { signal });
}
