/** `fctl lock status`: who holds the lock of a cluster. */
import { formatDuration } from '../../contract/units.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { lockStatus } from '../../record/lock.ts';
import type { lockStatus as declaration } from '../commands/lock-status.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { when } from '../output/times.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const { ageMs, held, lock } = await lockStatus(provider.record(clusterId));
  const data = {
    clusterId,
    held,
    holder: held ? lock!.holder : null,
    message: held ? lock!.message : null,
    since: held ? lock!.acquiredAt : null,
    ageMs: held ? ageMs : null,
    epoch: lock?.epoch ?? null,
  };
  context.report.result(data, () => {
    if (!held) return `Nobody holds the lock of ${clusterId}.`;
    const age = ageMs === null ? '' : `, renewed ${formatDuration(ageMs)} ago`;
    return `${lock!.holder} holds the lock of ${clusterId} since ${when(lock!.acquiredAt)}${age}: ${lock!.message}`;
  });
}
