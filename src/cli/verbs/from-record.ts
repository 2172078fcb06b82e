/** What the verbs need that change a cluster without its application: by its record, and today's config. */
import { DocumentName } from '../../record/documents.ts';
import { readDocument } from '../../record/record.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { loadEngine } from '../../engines/registry.ts';
import type { RunningClusterInput } from '../../deployment/operation/running-cluster.ts';
import type { Context } from '../context.ts';
import { type OperationFlags, hooksOf, todayOf, warnOfUnknownKeys } from './operation-flags.ts';

/** @throws ClusterError (exit 7) when there is no such cluster. */
export async function runningInput(
  context: Context,
  named: string | null,
  flags: Pick<OperationFlags, 'noHooks'>,
): Promise<RunningClusterInput> {
  const clusterId = await context.clusterId(named);
  const site = await context.site();
  const { engines, provider } = site;
  const { value } = await readDocument(provider.record(clusterId), DocumentName.cluster);
  if (value === null) throw noSuchCluster(clusterId);
  const own = await context.configOf(clusterId);
  const engine = await loadEngine(engines, value.engine);
  return {
    ...site,
    engine,
    clusterId,
    today: todayOf(own),
    onUnknownKeys: warnOfUnknownKeys(context),
    hooks: hooksOf(context, flags, own),
  };
}
