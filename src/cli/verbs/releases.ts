/** `fctl releases`: the history of a cluster. */
import type { ReleaseEntry } from '../../record/documents.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { readReleases } from '../../deployment/releases.ts';
import type { releases as declaration } from '../commands/releases.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { describeRestore } from '../output/restore.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const releases = (await readReleases(provider.record(clusterId))).toReversed();
  const areRestored = releases.some((r) => restored(r) !== '');
  const titles = ['NUMBER', 'RELEASE', 'STATUS', 'WHY', 'WHEN', 'BY'];
  const last = areRestored ? ['RESTORED'] : [];
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
      ...(areRestored ? [restored(r)] : []),
    ]);
  context.report.listing(
    { clusterId, releases },
    {
      names: () => releases.map(({ number }) => String(number)),
      table: (isWide) =>
        isWide
          ? table([...titles, ...more, ...last], rows(true), { width: null })
          : table([...titles, ...last], rows(false)),
    },
  );
}

const restored = ({ restore = [] }: ReleaseEntry): string =>
  restore.map(describeRestore).join('; ');
