/** Whether a deployment is what the user wants: asked before it is begun. */
import { planDeployment } from '../../deployment/deploy.ts';
import type { DeployInput } from '../../deployment/operation/desired.ts';
import type { Context } from '../context.ts';
import type { Progress } from '../output/progress.ts';
import { describePlan } from './plan.ts';
import { readPlan, refuseOther } from './plan-file.ts';

export interface ConsentFlags {
  /** Whether to ask in any case. */
  readonly confirm: boolean;
  /** The file of the plan that is to be carried out; `null`: any will do. */
  readonly plan: string | null;
}

/**
 * Shows what would be done, and asks: with `--confirm`, and on a terminal also where something that runs would
 * be ended. Without a terminal it goes on, for a pipeline has nobody to ask.
 * @throws ClusterError (exit 8) when that is not what was planned; (exit 130) for a no.
 */
export async function askBeforeDeploying(
  context: Context,
  input: DeployInput,
  { confirm, plan: file }: ConsentFlags,
  progress: Progress,
): Promise<void> {
  const planned = file === null ? null : await readPlan(context, file);
  if (planned === null && !confirm && !context.canAsk) return;
  const plan = await planDeployment(input);
  if (planned !== null) refuseOther(planned, plan);
  const ends = plan.actions.filter(({ endsProcess }) => endsProcess).map(({ process }) => process);
  if (!plan.changes || (!confirm && (ends.length === 0 || !context.canAsk))) return;
  progress.stop();
  context.report.message(describePlan(plan));
  const what = ends.length === 0 ? '' : ` This ends ${ends.join(', ')}.`;
  await context.confirm(`Deploy ${plan.clusterId} so?${what}`);
}
