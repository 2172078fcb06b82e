/** `fctl session stop`: ends a session; refused while jobs run, unless they are to be cancelled. */
import { stopSession } from '../../deployment/modes/session.ts';
import type { sessionStop as declaration } from '../commands/session-stop.ts';
import type { Context } from '../context.ts';
import { describeOutcome } from '../output/jobs.ts';
import { explainWait, tasksEnd } from '../output/patience.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cancel, cluster }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const stopped = stopSession(site, clusterId, { cancel, signal: context.signal });
  const outcome = await explainWait(context.report, tasksEnd, stopped);
  context.report.result({ clusterId, outcome }, () => describeOutcome(outcome));
}
