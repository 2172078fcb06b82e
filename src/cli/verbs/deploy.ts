/** `fctl deploy`: brings the cluster up and follows the application to its end. */
import { ApplicationStatus, type OutcomeDocument } from '../../contract/documents.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { formatBytes, formatDuration } from '../../contract/units.ts';
import { type DeployInput, deploy, planDeployment } from '../../deployment/deploy.ts';
import { followApplication } from '../../deployment/follow.ts';
import type { DeployEvent } from '../../deployment/progress.ts';
import { hasSucceeded } from '../../deployment/releases.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import type { Context } from '../context.ts';
import { describeJobs, describeOutcome } from '../output/jobs.ts';
import { type Progress, createProgress } from '../output/progress.ts';
import { describePlan, planData } from './plan.ts';
import { type ModeOption, loadDeployable, prepareDeployment } from './prepare.ts';

interface DeployFlags extends ModeOption {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly ifChanged?: boolean;
  readonly allowStateLoss?: boolean;
}

const healthTimeoutMs = 60_000;
const lockWaitMs = 20_000;

export async function run(context: Context<DeployFlags>): Promise<number> {
  const { options, report } = context;
  const loaded = await loadDeployable(context);
  const progress = await createProgress({ quiet: report.options.quiet || report.options.json });
  try {
    progress.step('Bundling the application');
    const input = await prepareDeployment(context, loaded);
    if (options.dryRun) {
      progress.stop();
      const plan = await planDeployment(input);
      report.result(planData(plan), () => describePlan(plan));
      return ExitCode.done;
    }
    return await deployAndFollow(context, input, progress);
  } finally {
    progress.stop();
  }
}

async function deployAndFollow(
  context: Context<DeployFlags>,
  input: DeployInput,
  progress: Progress,
): Promise<number> {
  const { options, report, signal } = context;
  const { provider, config } = input;
  const clusterId = config.cluster;
  await removeExpired(provider, Date.now());
  if (options.ifChanged) {
    const { release } = await planDeployment(input);
    if (await hasSucceeded(provider.store(clusterId), release)) {
      const text = `Nothing changed: ${clusterId} has run release ${release}.`;
      report.result({ clusterId, release, changed: false }, () => text);
      return ExitCode.done;
    }
  }
  const startedAt = Date.now();
  const result = await deploy(input, {
    signal,
    onEvent: (event) => showEvent(progress, event),
    healthTimeoutMs,
    lockWaitMs,
    allowStateLoss: options.allowStateLoss ?? false,
  }).catch((error: unknown) => {
    throw signal.aborted ? interrupted(signal.reason as ClusterError, clusterId) : error;
  });
  const data = { clusterId, release: result.plan.release, plan: planData(result.plan) };
  const outcome = options.detach
    ? null
    : await follow(context, input, result.previousEpoch, progress);
  progress.stop();
  if (outcome === null) {
    report.result({ ...data, detached: true, outcome }, () => running(clusterId));
    return ExitCode.done;
  }
  return answer(context, { ...data, detached: false, outcome }, outcome, Date.now() - startedAt);
}

/** What was started before stays, and the next deploy goes on from there. */
const interrupted = ({ exitCode, problems }: ClusterError, clusterId: string) =>
  new ClusterError(
    exitCode === ExitCode.timedOut ? ExitCode.timedOut : ExitCode.interrupted,
    problem({
      code: problems[0]!.code,
      message: `${problems[0]!.message} before ${clusterId} was healthy`,
      hint: `'fctl deploy' continues, 'fctl status ${clusterId}' shows what runs, 'fctl destroy ${clusterId}' ends it`,
    }),
  );

const running = (clusterId: string) =>
  `${clusterId} runs. 'fctl status ${clusterId}' shows it, 'fctl cancel ${clusterId}' ends it.`;

async function follow(
  context: Context<DeployFlags>,
  { provider, config }: DeployInput,
  previousEpoch: number,
  progress: Progress,
): Promise<OutcomeDocument | null> {
  try {
    return await followApplication(provider, config.cluster, {
      previousEpoch,
      signal: context.signal,
      onSnapshot: (jobs) => progress.view(() => describeJobs(jobs)),
    });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    const reason = context.signal.reason as ClusterError;
    throw new ClusterError(
      reason.exitCode === ExitCode.timedOut ? ExitCode.timedOut : ExitCode.interrupted,
      problem({
        code: 'detached',
        message: `${reason.message}: detached, ${config.cluster} goes on`,
        hint: `'fctl status ${config.cluster} --watch' follows it, 'fctl cancel ${config.cluster}' ends it`,
      }),
    );
  }
}

function answer(
  { report }: Context<DeployFlags>,
  data: object,
  outcome: OutcomeDocument,
  tookMs: number,
): number {
  if (outcome.status === ApplicationStatus.succeeded) {
    report.result(data, () => describeOutcome(outcome));
    report.message(`Finished in ${formatDuration(tookMs)}.`);
    return ExitCode.done;
  }
  if (!report.options.json) report.result(data, () => describeOutcome(outcome));
  const { error, status } = outcome;
  const where = [error?.task, error?.location].filter(Boolean).join(' on ');
  const what = status === ApplicationStatus.canceled ? 'was cancelled' : 'failed';
  const lines = [
    `the application ${what}${error ? `: ${error.message}` : ''}`,
    ...(where === '' ? [] : [`  in ${where}`]),
    ...userFrames(error?.stack ?? ''),
  ];
  report.failure(
    [problem({ code: `application-${status.toLowerCase()}`, message: lines.join('\n') })],
    data,
  );
  return ExitCode.jobFailed;
}

/** Positions in the user's files, which are relative; the runtime's own are in logs and `--json`. */
const userFrames = (stack: string) =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/(?:\(|at |file:\/\/)\/|node:/.test(line));

function showEvent(progress: Progress, event: DeployEvent): void {
  switch (event.type) {
    case 'waiting-for-lock':
      return progress.step(`Waiting for ${event.holder} (${event.message})`);
    case 'uploaded':
      return progress.done(`Uploaded ${event.name} (${formatBytes(event.bytes)})`);
    case 'action':
      return progress.done(`${event.action.kind} ${event.action.process}: ${event.action.reason}`);
    case 'waiting-for-jobmanager':
      return progress.step('Waiting for the JobManager');
    case 'waiting-for-taskmanagers':
      return progress.step(
        `Waiting for TaskManagers: ${Math.max(0, event.registered)} of ${event.expected}`,
      );
    case 'healthy':
      return progress.done(`The cluster is up: ${event.url}`);
  }
}
