/** `fctl restart`: ends processes of a cluster and starts them again. */
import { planData } from '../../deployment/operation/plan-data.ts';
import { restart } from '../../deployment/restart.ts';
import type { restart as declaration } from '../commands/restart.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runningInput } from './from-record.ts';
import { refuseBeside } from '../options.ts';
import { findTarget } from '../target.ts';
import type { Given } from '../verb.ts';
import { operationOptions } from './operation-flags.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const { report } = context;
  const { role } = given;
  const { clusterId: named, process } = await findTarget(context, given);
  if (process !== null) refuseBeside('beside the name of a process', { '--role': role !== null });
  const choice = { process, role };
  const input = await runningInput(context, named, given);
  const progress = await createProgress(report.options);
  try {
    const { plan } = await restart(input, choice, operationOptions(context, given, progress));
    progress.stop();
    const restarted = plan.actions.filter((a) => a.kind !== 'none').map((a) => a.process);
    const { clusterId } = input;
    report.result(
      { clusterId, restarted, plan: planData(plan) },
      () => `Started again: ${restarted.join(', ')}.`,
    );
  } finally {
    progress.stop();
  }
}
