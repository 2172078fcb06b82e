/** What is left of clusters on an engine: containers, networks and volumes that nobody needs. */
import { type ClusterId, isClusterId } from '../../contract/cluster-id.ts';
import { type Leftover, type ObservedCluster, isAlive } from '../provider.ts';
import { whyRemoved, whyWithoutJobManager } from '../shared/leftovers.ts';
import { Label, clusterResource, containerName } from './names.ts';
import { type ContainerSummary, isOwn, nameOf } from './resources.ts';

/** A helper that was not started by then never is. */
const helperStartMs = 60_000;

/** The `ref` of a leftover that is a container: its name. */
export interface ContainerRef {
  readonly container: string;
}

function containerLeftover(clusterId: ClusterId, container: string, why: string): Leftover {
  const ref: ContainerRef = { container };
  return { clusterId, kind: 'process', what: `container ${container}`, why, ref };
}

/** Containers of a cluster that has no volume any more. */
export function withoutCluster(
  containers: readonly ContainerSummary[],
  clusterId: ClusterId,
): Leftover[] {
  return containers
    .filter((container) => isOwn(container, clusterId, null))
    .map((container) => containerLeftover(clusterId, nameOf(container), whyRemoved(clusterId)));
}

/** Processes that still run although their JobManager does not. */
export function withoutJobManager(observed: ObservedCluster | null): Leftover[] {
  const why = whyWithoutJobManager(observed);
  if (observed === null || why === null) return [];
  const { clusterId, processes } = observed;
  return processes
    .filter(isAlive)
    .map(({ name }) => containerLeftover(clusterId, containerName(clusterId, name), why));
}

/** Helpers whose client died before it started them. */
export function abandonedHelpers(containers: readonly ContainerSummary[], now: number): Leftover[] {
  return containers.flatMap((container) => {
    const { Created, Labels, State } = container;
    const clusterId = Labels[Label.cluster];
    const isAbandoned =
      Labels[Label.helper] !== undefined &&
      State !== 'running' &&
      now - Created * 1000 > helperStartMs;
    if (!isAbandoned || !isClusterId(clusterId)) return [];
    return [containerLeftover(clusterId, nameOf(container), 'whoever made it is gone')];
  });
}

export const volumeLeftover = (clusterId: ClusterId, why: string): Leftover => ({
  clusterId,
  kind: 'folder',
  what: `volume ${clusterResource(clusterId)}`,
  why,
  ref: { volume: clusterResource(clusterId) },
});
