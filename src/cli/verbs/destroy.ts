/** `fctl destroy`: ends all processes of a cluster and removes everything of it. */
import { noSuchCluster } from '../../deployment/cancel.ts';
import { destroyCluster } from '../../deployment/destroy.ts';
import { clusterStatus } from '../../deployment/status.ts';
import { isAlive } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

const lockWaitMs = 5000;

export async function run(context: Context, named: string | undefined): Promise<void> {
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  const status = await clusterStatus(provider, clusterId);
  if (status === null) throw noSuchCluster(clusterId);
  const running = status.processes.filter(isAlive).length;
  if (running > 0) {
    await context.confirm(
      `Cluster ${clusterId} is ${status.state} with ${running} processes. Destroy it?`,
    );
  }
  await destroyCluster(provider, clusterId, {
    lockWaitMs,
    deleteState: false,
    signal: context.signal,
  });
  context.report.result({ clusterId, destroyed: true }, () => `Cluster ${clusterId} is gone.`);
}
