/** `fctl releases`: the history of a cluster. */
import { noSuchCluster } from '../../deployment/cancel.ts';
import { readReleases } from '../../deployment/releases.ts';
import type { releases as declaration } from '../commands/releases.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { colorState, table, time } from '../output/style.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const releases = (await readReleases(provider.record(clusterId))).toReversed();
  context.report.result({ clusterId, releases }, () =>
    table(
      ['NUMBER', 'RELEASE', 'STATUS', 'WHY', 'WHEN (UTC)', 'BY', 'FCTL', 'BUNDLE'],
      releases.map((r) => [
        String(r.number),
        r.release,
        colorState(r.status),
        r.cause,
        time(r.createdAt),
        r.by,
        r.fctlVersion,
        r.bundleHash?.slice(0, 12) ?? '',
      ]),
    ),
  );
}
