/** `fctl audit`: who did what to a cluster. */
import { readAudit } from '../../deployment/audit.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { audit as declaration } from '../commands/audit.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const entries = (await readAudit(provider.record(clusterId))).toReversed();
  context.report.result({ clusterId, entries }, () =>
    table(
      ['WHEN', 'BY', 'ACTION', 'RELEASE', 'RESULT', 'MESSAGE'],
      entries.map((e) => [
        when(e.at),
        e.by,
        e.action,
        e.release ?? '',
        colorState(e.result ?? 'not ended'),
        e.message?.split('\n')[0] ?? '',
      ]),
    ),
  );
}
