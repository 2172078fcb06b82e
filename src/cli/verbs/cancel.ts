/** `fctl cancel`: ends an application, or one of its jobs, and waits for the end. */
import { cancel } from '../../deployment/cancel.ts';
import type { cancel as declaration } from '../commands/cancel.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { describeOutcome } from '../output/jobs.ts';
import { explainWait, tasksEnd } from '../output/patience.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const site = await context.site();
  const { job: jobId } = given;
  const cancelled = cancel(site, clusterId, jobId, context.signal);
  const outcome = await explainWait(context.report, tasksEnd, cancelled);
  context.report.result({ clusterId, jobId, outcome }, () =>
    outcome === null ? `Job ${jobId} is being cancelled.` : describeOutcome(outcome),
  );
}
