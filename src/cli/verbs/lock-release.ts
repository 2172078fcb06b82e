/** `fctl lock release`: takes the lock of a cluster away from its holder. */
import { audited } from '../../deployment/audit.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { lockStatus, releaseLock } from '../../record/lock.ts';
import type { lockRelease as declaration } from '../commands/lock-release.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const site = await context.site();
  const { provider } = site;
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const store = provider.record(clusterId);
  const { held, lock } = await lockStatus(store);
  if (held) {
    await context.confirm(
      `${lock!.holder} holds the lock of ${clusterId} (${lock!.message}). What it does from now on fails. Take it away?`,
    );
  }
  const from = held
    ? await audited(site, clusterId, 'lock release', context.signal, () => releaseLock(store))
    : null;
  const holder = from?.holder ?? null;
  context.report.result({ clusterId, released: from !== null, holder }, () =>
    holder === null
      ? `Nobody holds the lock of ${clusterId}.`
      : `${holder} does not hold the lock of ${clusterId} any more.`,
  );
}
