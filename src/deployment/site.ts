/** Where clusters are, and how the JobManager of one is asked, whatever engine it runs. */
import { type ClusterDocument, DocumentName } from '../record/documents.ts';
import type { ClusterApi } from '../engines/cluster-api.ts';
import { type Engines, loadEngine } from '../engines/registry.ts';
import type { Provider, ReachableEndpoint } from '../providers/provider.ts';

export interface Site {
  readonly provider: Provider;
  /** Those that its clusters may run. */
  readonly engines: Engines;
}

/** The JobManager that leads a cluster. Whether it answers is not known. */
export interface Leader {
  readonly endpoint: ReachableEndpoint;
  readonly api: ClusterApi;
}

const requestMs = 2000;

/**
 * @param timeoutMs of one request.
 * @returns `null` when nobody leads, or this version of fctl does not have the cluster's engine.
 */
export async function findLeader(
  { engines, provider }: Site,
  clusterId: string,
  timeoutMs = requestMs,
): Promise<Leader | null> {
  const [{ value }, endpoint] = await Promise.all([
    provider.store(clusterId).read<ClusterDocument>(DocumentName.cluster),
    provider.endpoint(clusterId),
  ]);
  if (value === null || endpoint === null || !Object.hasOwn(engines, value.engine)) return null;
  const engine = await loadEngine(engines, value.engine);
  return { endpoint, api: engine.cluster(endpoint, timeoutMs) };
}
