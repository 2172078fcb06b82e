/** `fctl restart`: ends processes of a cluster and starts them again. */
import { planData } from '../../deployment/operation/plan-data.ts';
import { restart } from '../../deployment/restart.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runningInput } from './from-record.ts';
import { type OperationFlags, operationOptions } from './operation-flags.ts';
import { parseRole } from './option-values.ts';

interface RestartFlags extends OperationFlags {
  readonly role?: string;
}

export async function run(
  context: Context<RestartFlags>,
  named: string | undefined,
  process: string | undefined,
): Promise<void> {
  const { options, report } = context;
  const choice = { process: process ?? null, role: parseRole(options.role) };
  const input = await runningInput(context, named);
  const progress = await createProgress({ quiet: report.options.quiet || report.options.json });
  try {
    const { plan } = await restart(input, choice, operationOptions(context, progress));
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
