/** `fctl attach`: follows an application that somebody has deployed before. */
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { readRecord } from '../../record/record.ts';
import type { attach as declaration } from '../commands/attach.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import type { Given } from '../verb.ts';
import { answerOutcome, follow } from './follow.ts';

export async function run(
  context: Context,
  { cluster }: Given<typeof declaration>,
): Promise<number> {
  const { report } = context;
  const startedAt = Date.now();
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const { provider } = site;
  if ((await provider.observe(clusterId, site)) === null) throw noSuchCluster(clusterId);
  const record = await readRecord(provider.record(clusterId));
  if (record.cluster?.mode === 'session') {
    const message = `${clusterId} is a session: it has no application to follow`;
    const hint = `'fctl session status ${clusterId} --watch' shows its jobs`;
    throw new ClusterError(
      ExitCode.conflict,
      problem({ code: 'mode-not-followed', message, hint }),
    );
  }
  const progress = await createProgress(report.options);
  try {
    const epoch = record.outcome?.epoch ?? 0;
    const outcome = await follow(context, site, clusterId, {
      previousEpoch: record.isReleaseOver ? epoch - 1 : epoch,
      isEndless: true,
      progress,
    });
    progress.stop();
    const data = { clusterId };
    return await answerOutcome(context, provider, clusterId, {
      data,
      outcome: outcome!,
      startedAt,
    });
  } finally {
    progress.stop();
  }
}
