/** `fctl version`: of fctl, and of a cluster. */
import { FCTL_VERSION } from '../../contract/version.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { readRecord } from '../../record/record.ts';
import { PROTOCOL_VERSION } from '../../record/documents.ts';
import type { version as declaration } from '../commands/version.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cluster: named }: Given<typeof declaration>,
): Promise<void> {
  const client = {
    fctl: FCTL_VERSION,
    protocol: PROTOCOL_VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
  const cluster = named === null ? null : await clusterVersion(context, named);
  context.report.result({ client, cluster }, () =>
    [
      `fctl ${client.fctl}, protocol ${client.protocol}, Node.js ${client.node} on ${client.platform}`,
      ...(cluster === null
        ? []
        : [
            `cluster ${cluster.clusterId}: fctl ${cluster.fctl ?? 'unknown'}, protocol ${cluster.protocol ?? 'unknown'}, engine ${cluster.engine ?? 'unknown'}`,
          ]),
    ].join('\n'),
  );
}

/** What it was deployed with last. `null`: its record does not say. */
async function clusterVersion(context: Context, named: string) {
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const { cluster, currentRelease, protocol } = await readRecord(provider.record(clusterId));
  return {
    clusterId,
    fctl: currentRelease?.fctlVersion ?? cluster?.fctlVersion ?? null,
    protocol,
    engine: currentRelease?.engine ?? cluster?.engine ?? null,
  };
}
