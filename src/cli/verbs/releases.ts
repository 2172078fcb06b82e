/** `fctl releases`: the history of a cluster. */
import { noSuchCluster } from '../../deployment/cancel.ts';
import { readReleases } from '../../deployment/releases.ts';
import type { releases as declaration } from '../commands/releases.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const releases = (await readReleases(provider.record(clusterId))).toReversed();
  const titles = ['NUMBER', 'RELEASE', 'STATUS', 'WHY', 'WHEN', 'BY'];
  const more = ['FCTL', 'ENGINE', 'BUNDLE', 'FOLDER'];
  const rows = (isWide: boolean) =>
    releases.map((r) => [
      String(r.number),
      r.release,
      colorState(r.status),
      r.cause,
      when(r.createdAt),
      r.by,
      ...(isWide ? [r.fctlVersion, r.engine, r.bundleHash ?? '', r.clientDir] : []),
    ]);
  context.report.listing(
    { clusterId, releases },
    {
      names: () => releases.map(({ number }) => String(number)),
      table: (isWide) =>
        isWide
          ? table([...titles, ...more], rows(true), { width: null })
          : table(titles, rows(false)),
    },
  );
}
