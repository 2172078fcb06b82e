/** What is left of clusters on an engine: containers, networks and volumes that nobody needs. */
import { type ClusterDocument, DocumentName } from '../../record/documents.ts';
import { isRecordDamaged } from '../../record/file-documents.ts';
import { Role } from '../../contract/process-spec.ts';
import type { DocumentStore, ObservedProcess, Orphan } from '../provider.ts';
import { Label, clusterResource, containerName } from './names.ts';
import { type ContainerSummary, isOwn, nameOf } from './resources.ts';

/** A helper that was not started by then never is. */
const helperStartMs = 60_000;

/** `null`: it has one that can be read. */
export async function whyNoRecord(store: DocumentStore): Promise<string | null> {
  try {
    const { value } = await store.read<ClusterDocument>(DocumentName.cluster);
    return value === null ? 'a cluster without a record' : null;
  } catch (error) {
    if (isRecordDamaged(error)) return 'a cluster whose record is damaged';
    throw error;
  }
}

/** Containers of a cluster that has no volume any more. */
export function withoutCluster(
  containers: readonly ContainerSummary[],
  clusterId: string,
): Orphan[] {
  return containers
    .filter((container) => isOwn(container, clusterId, null))
    .map((container) => ({
      clusterId,
      kind: 'process',
      what: `container ${nameOf(container)}`,
      why: `its cluster ${clusterId} was removed`,
    }));
}

/** Processes that still run although their JobManager does not. */
export function withoutMaster(clusterId: string, processes: readonly ObservedProcess[]): Orphan[] {
  const master = processes.find(({ role }) => role === Role.jobmanager);
  const why =
    master?.status === 'lost'
      ? `the JobManager of its cluster ${clusterId} is gone`
      : master?.status === 'exited'
        ? `its cluster ${clusterId} has ended`
        : null;
  if (why === null) return [];
  return processes
    .filter(({ status }) => status === 'running' || status === 'restarting')
    .map(({ name }) => ({
      clusterId,
      kind: 'process',
      what: `container ${containerName(clusterId, name)}`,
      why,
    }));
}

/** Helpers whose client died before it started them. */
export function abandonedHelpers(containers: readonly ContainerSummary[], now: number): Orphan[] {
  return containers
    .filter(
      ({ Created, Labels, State }) =>
        Labels[Label.helper] !== undefined &&
        State !== 'running' &&
        now - Created * 1000 > helperStartMs,
    )
    .map((container) => ({
      clusterId: container.Labels[Label.cluster]!,
      kind: 'process',
      what: `container ${nameOf(container)}`,
      why: 'whoever made it is gone',
    }));
}

export const volumeOrphan = (clusterId: string, why: string): Orphan => ({
  clusterId,
  kind: 'folder',
  what: `volume ${clusterResource(clusterId)}`,
  why,
});
