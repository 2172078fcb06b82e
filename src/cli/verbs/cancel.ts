/** `fctl cancel`: ends an application, or one of its jobs, and waits for the end. */
import { cancel } from '../../deployment/cancel.ts';
import type { CommonOptions, Context } from '../context.ts';
import { describeOutcome } from '../output/jobs.ts';

interface CancelFlags extends CommonOptions {
  readonly job?: string;
}

export async function run(context: Context<CancelFlags>, named: string | undefined): Promise<void> {
  const clusterId = await context.clusterId(named);
  const site = await context.site();
  const jobId = context.options.job ?? null;
  const outcome = await cancel(site, clusterId, jobId, context.signal);
  context.report.result({ clusterId, jobId, outcome }, () =>
    outcome === null ? `Job ${jobId} is being cancelled.` : describeOutcome(outcome),
  );
}
