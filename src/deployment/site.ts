/** Where clusters are, and how the JobManager of one is asked, whatever engine it runs. */
import type { ClusterId } from '../contract/cluster-id.ts';
import { DocumentName } from '../record/documents.ts';
import { readDocument } from '../record/record.ts';
import type { Call } from '../contract/call.ts';
import type { Clock } from '../contract/clock.ts';
import type { Redactor } from '../contract/secrets.ts';
import type { ClusterApi } from '../engines/cluster-api.ts';
import { type Engines, loadEngine } from '../engines/registry.ts';
import type { Provider, ClusterConnection } from '../providers/provider.ts';

/** Its signal ends what is asked of it. */
export interface Site extends Call {
  readonly provider: Provider;
  /** Those that its clusters may run. */
  readonly engines: Engines;
  readonly clock: Clock;
  /**
   * Knows what must be shown nowhere, and learns what becomes known of it. Absent: who asks shows nothing, and
   * knows no secret.
   */
  readonly redactor?: Redactor;
}

/** The JobManager that leads a cluster. Whether it answers is not known. */
export interface Leader {
  readonly endpoint: ClusterConnection;
  readonly api: ClusterApi;
}

const requestMs = 2000;

/**
 * @param timeoutMs of one request.
 * @returns `null` when nobody leads, or this version of fctl does not have the cluster's engine.
 */
export async function findLeader(
  site: Site,
  clusterId: ClusterId,
  timeoutMs = requestMs,
): Promise<Leader | null> {
  const { engines, provider } = site;
  const [{ value }, endpoint] = await Promise.all([
    readDocument(provider.record(clusterId), DocumentName.cluster),
    provider.connect(clusterId, site),
  ]);
  if (value === null || endpoint === null || !Object.hasOwn(engines, value.engine)) return null;
  const engine = await loadEngine(engines, value.engine);
  return { endpoint, api: engine.cluster(endpoint, timeoutMs) };
}
