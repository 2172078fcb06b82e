/** What is left on hosts and belongs to no cluster that is known. */
import type { Orphan } from '../provider.ts';
import type { Clusters } from './clusters.ts';
import type { Hosts } from './hosts.ts';

/** `h2: pid 4711` */
const separator = ': ';

export async function findOrphans(hosts: Hosts, clusters: Clusters): Promise<readonly Orphan[]> {
  const outcomes = await hosts.ask(hosts.configured, (host) =>
    host.look<readonly Orphan[]>('orphans', {}),
  );
  const found: Orphan[] = [];
  for (const outcome of outcomes) {
    if (!outcome.ok) throw outcome.error; // what it would say is not known
    for (const orphan of outcome.value ?? []) {
      // Only one host has the record.
      if (orphan.kind === 'folder' && !(await isLost(clusters, orphan.clusterId))) continue;
      found.push({ ...orphan, what: `${outcome.host.address}${separator}${orphan.what}` });
    }
  }
  return found;
}

/** Whether no host knows what the cluster is. */
async function isLost(clusters: Clusters, clusterId: string): Promise<boolean> {
  const { record, silent, views } = await clusters.view(clusterId);
  if (record === null) return silent.size === 0;
  const view = views.get(record.host);
  if (view === undefined) return !silent.has(record.host);
  return !view.described;
}

export async function removeOrphan(
  hosts: Hosts,
  clusters: Clusters,
  orphan: Orphan,
): Promise<void> {
  const at = orphan.what.indexOf(separator);
  const address = orphan.what.slice(0, at);
  const host = hosts.configured.find((each) => each.address === address);
  const still = (await findOrphans(hosts, clusters)).some(
    (each) => each.what === orphan.what && each.clusterId === orphan.clusterId,
  );
  if (!host || !still) return;
  const what = orphan.what.slice(at + separator.length);
  await host.call('removeOrphan', { orphan: { ...orphan, what } });
}
