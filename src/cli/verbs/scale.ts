/** `fctl scale` and `fctl session scale`: more or fewer TaskManagers for a cluster that runs. */
import { UsageError, problem } from '../../contract/errors.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import { scale } from '../../deployment/scale.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runningInput } from './from-record.ts';
import { type OperationFlags, operationOptions } from './operation-flags.ts';
import { parseCount } from './option-values.ts';

export interface ScaleFlags extends OperationFlags {
  readonly taskmanagers?: string;
}

/** @throws UsageError when the number is missing, or is none. */
export function wantedTaskManagers({ options }: Context<ScaleFlags>): number {
  const count = parseCount('--taskmanagers', options.taskmanagers);
  if (count !== null) return count;
  throw new UsageError(
    problem({
      code: 'option-missing',
      message: 'how many TaskManagers?',
      hint: 'for example --taskmanagers 3',
    }),
  );
}

export async function run(context: Context<ScaleFlags>, named: string | undefined): Promise<void> {
  const { report } = context;
  const taskManagers = wantedTaskManagers(context);
  const input = await runningInput(context, named);
  const progress = await createProgress({ quiet: report.options.quiet || report.options.json });
  try {
    const { plan, release } = await scale(input, taskManagers, operationOptions(context, progress));
    progress.stop();
    const { clusterId } = input;
    const changed = plan.changes;
    const number = release?.number ?? null;
    report.result({ clusterId, changed, number, taskManagers, plan: planData(plan) }, () =>
      changed
        ? `${clusterId} has ${taskManagers} TaskManagers.`
        : `Nothing changed: ${clusterId} has ${taskManagers} TaskManagers.`,
    );
  } finally {
    progress.stop();
  }
}
