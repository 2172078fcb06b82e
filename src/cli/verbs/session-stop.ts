/** `fctl session stop`: ends a session; refused while jobs run, unless they are to be cancelled. */
import { stopSession } from '../../deployment/modes/session.ts';
import type { CommonOptions, Context } from '../context.ts';
import { describeOutcome } from '../output/jobs.ts';

interface StopFlags extends CommonOptions {
  readonly cancel?: boolean;
}

export async function run(context: Context<StopFlags>, named: string | undefined): Promise<void> {
  const clusterId = await context.clusterId(named);
  const site = await context.site();
  const cancel = context.options.cancel ?? false;
  const outcome = await stopSession(site, clusterId, { cancel, signal: context.signal });
  context.report.result({ clusterId, outcome }, () => describeOutcome(outcome));
}
