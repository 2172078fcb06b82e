/** `fctl scale` and `fctl session scale`: more or fewer TaskManagers for a cluster that runs. */
import { UsageError, problem } from '../../contract/errors.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import { scale } from '../../deployment/scale.ts';
import type { scale as declaration } from '../commands/scale.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runningInput } from './from-record.ts';
import type { Given } from '../verb.ts';
import { operationOptions } from './operation-flags.ts';

export type ScaleFlags = Given<typeof declaration>;

/** @throws UsageError when the number is missing. */
export function wantedTaskManagers({ taskmanagers }: ScaleFlags): number {
  if (taskmanagers !== null) return taskmanagers;
  throw new UsageError(
    problem({
      code: 'option-missing',
      message: 'how many TaskManagers?',
      hint: 'for example --taskmanagers 3',
    }),
  );
}

export async function run(context: Context, given: ScaleFlags): Promise<void> {
  const { report } = context;
  const taskManagers = wantedTaskManagers(given);
  const input = await runningInput(context, given.cluster, given);
  const progress = await createProgress(report.options);
  try {
    const { plan, release } = await scale(
      input,
      taskManagers,
      operationOptions(context, given, progress),
    );
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
