/** `fctl deploy`: brings the cluster up and follows the application to its end. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { ClusterError } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { deploy, planDeployment } from '../../deployment/deploy.ts';
import type { DeployInput } from '../../deployment/operation/desired.ts';
import { FailedDeployment } from '../../deployment/operation/failure.ts';
import { planData } from '../../deployment/operation/plan-data.ts';
import { hasSucceeded } from '../../deployment/releases.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import type { deploy as declaration } from '../commands/deploy.ts';
import type { Context } from '../context.ts';
import { endedBy } from '../interruption.ts';
import { type Progress, createProgress } from '../output/progress.ts';
import { askBeforeDeploying } from './consent.ts';
import { deployPerJob } from './deploy-per-job.ts';
import { answerOutcome, follow } from './follow.ts';
import { operationOptions } from './operation-flags.ts';
import { describePlan } from './plan.ts';
import { refuseBeside } from '../options.ts';
import type { Given } from '../verb.ts';
import { loadDeployable, prepareDeployment } from './prepare.ts';

type DeployFlags = Given<typeof declaration>;

export async function run(context: Context, flags: DeployFlags): Promise<number> {
  const { report } = context;
  if (flags.dryRun) {
    refuseBeside('beside --dry-run', {
      '--detach': flags.detach,
      '--if-changed': flags.ifChanged,
      '--confirm': flags.confirm,
      'the plan': flags.plan !== null,
    });
  }
  const loaded = await loadDeployable(context, flags);
  const progress = await createProgress(report.options);
  try {
    progress.step('Bundling the application');
    const input = await prepareDeployment(context, flags, loaded);
    if (flags.dryRun) {
      progress.stop();
      const plan = await planDeployment(input);
      report.result(planData(plan), () => describePlan(plan));
      return ExitCode.done;
    }
    return await (input.config.mode === 'per-job'
      ? deployPerJob(context, flags, input, progress)
      : deployAndFollow(context, flags, input, progress));
  } catch (error) {
    progress.stop();
    if (!(error instanceof FailedDeployment)) throw error;
    return answerFailed(context, loaded.config.cluster, error);
  } finally {
    progress.stop();
  }
}

async function deployAndFollow(
  context: Context,
  flags: DeployFlags,
  input: DeployInput,
  progress: Progress,
): Promise<number> {
  const { report, signal } = context;
  const { provider, config } = input;
  const clusterId = config.cluster;
  await removeExpired(input, Date.now());
  if (flags.ifChanged) {
    const { release } = await planDeployment(input);
    if (await hasSucceeded(provider.record(clusterId), release)) {
      const text = `Nothing changed: ${clusterId} has run release ${release}.`;
      report.result({ clusterId, release, changed: false }, () => text);
      return ExitCode.done;
    }
  }
  await askBeforeDeploying(context, input, flags, progress);
  const startedAt = Date.now();
  const result = await deploy(input, operationOptions(context, flags, progress)).catch(
    (error: unknown) => {
      throw signal.aborted ? interrupted(signal, clusterId) : error;
    },
  );
  const data = {
    clusterId,
    release: result.plan.release,
    number: result.release?.number ?? null,
    plan: planData(result.plan),
  };
  const outcome =
    result.outcome ??
    (flags.detach
      ? null
      : await follow(context, input, clusterId, { previousEpoch: result.previousEpoch, progress }));
  progress.stop();
  if (outcome === null) {
    report.result({ ...data, detached: true, outcome }, () => running(clusterId));
    return ExitCode.done;
  }
  const ended = { data: { ...data, detached: false }, outcome, startedAt };
  return answerOutcome(context, provider, clusterId, ended);
}

/** A deployment that failed, with what became of it. @returns the exit code. */
export function answerFailed(
  { report }: Context,
  clusterId: ClusterId,
  error: FailedDeployment,
): number {
  const { plan, rolledBackTo } = error;
  const data = { clusterId, release: plan.release, plan: planData(plan), rolledBackTo };
  report.failure(error.problems, data);
  return error.exitCode;
}

/** What was started before stays, and the next deploy goes on from there. */
const interrupted = (signal: AbortSignal, clusterId: ClusterId) =>
  endedBy(
    signal,
    (signal.reason as ClusterError).problems[0]!.code,
    (why) => `${why} before ${clusterId} was healthy`,
    `'fctl deploy' continues, 'fctl status ${clusterId}' shows what runs, 'fctl destroy ${clusterId}' ends it`,
  );

const running = (clusterId: ClusterId) =>
  `${clusterId} runs. 'fctl status ${clusterId}' shows it, 'fctl cancel ${clusterId}' ends it.`;
