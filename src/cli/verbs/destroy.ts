/** `fctl destroy`: ends all processes of a cluster and removes everything of it. */
import { noSuchCluster } from '../../deployment/cancel.ts';
import { destroyCluster } from '../../deployment/destroy.ts';
import { clusterStatus } from '../../deployment/status.ts';
import { isAlive } from '../../providers/provider.ts';
import type { destroy as declaration } from '../commands/destroy.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cluster, deleteState, lockWait }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const status = await clusterStatus(site, clusterId);
  if (status === null) throw noSuchCluster(clusterId);
  const running = status.processes.filter(isAlive).length;
  const holdsWork = status.outcome === null && context.canAsk;
  if (running > 0 || deleteState || holdsWork) {
    const state = deleteState ? ', and its checkpoints, savepoints and volumes,' : '';
    await context.confirm(
      `Cluster ${clusterId} is ${status.state} with ${running} processes. Destroy it${state} for good?`,
    );
  }
  const { signal } = context;
  const kept = await destroyCluster(site, clusterId, { lockWaitMs: lockWait, deleteState, signal });
  context.report.result({ clusterId, destroyed: true, kept }, () =>
    [
      `Cluster ${clusterId} is gone.`,
      ...(kept.length === 0
        ? []
        : [`Kept, as it holds state (--delete-state removes it):\n  ${kept.join('\n  ')}`]),
    ].join('\n'),
  );
}
