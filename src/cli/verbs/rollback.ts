/** `fctl rollback`: deploys an earlier release again. */
import { FailedDeployment } from '../../deployment/operation/failure.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import { rollback } from '../../deployment/rollback.ts';
import { ApplicationStatus } from '../../contract/outcome.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { rollback as declaration } from '../commands/rollback.ts';
import type { Context } from '../context.ts';
import { describeOutcome } from '../output/jobs.ts';
import { createProgress } from '../output/progress.ts';
import { answerFailed } from './deploy.ts';
import { runningInput } from './from-record.ts';
import type { Given } from '../verb.ts';
import { operationOptions } from './operation-flags.ts';
import { bundlesDir } from './prepare.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<number> {
  const { place, report } = context;
  const { clusterId, ...rest } = await runningInput(context, given.cluster, given);
  const input = { ...rest, bundlesDir: bundlesDir(context), problems: [] };
  const progress = await createProgress(report.options);
  try {
    const operation = operationOptions(context, given, progress);
    const result = await rollback(input, clusterId, given.release, place.cwd, operation);
    progress.stop();
    const { outcome, plan, release, to } = result;
    const number = release?.number ?? null;
    const data = { clusterId, release: plan.release, number, to: to.number, plan: planData(plan) };
    report.result({ ...data, outcome }, () =>
      [
        plan.changes
          ? `${clusterId} is back at release ${to.number} (${to.release}), now release ${number}.`
          : `Nothing changed: ${clusterId} runs release ${to.release} already.`,
        ...(outcome === null ? [] : [describeOutcome(outcome)]),
      ].join('\n'),
    );
    return outcome?.status === ApplicationStatus.failed ? ExitCode.jobFailed : ExitCode.done;
  } catch (error) {
    if (!(error instanceof FailedDeployment)) throw error;
    return answerFailed(context, clusterId, error);
  } finally {
    progress.stop();
  }
}
