/** `fctl deploy --mode per-job`: `main()` runs here, each of its jobs on a cluster of its own. */
import { join } from 'node:path';
import type { JobOutcome } from '../../contract/documents.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { cancel } from '../../deployment/cancel.ts';
import type { DeployInput } from '../../deployment/deploy.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import { runPerJob } from '../../deployment/modes/per-job.ts';
import type { CommonOptions, Context } from '../context.ts';
import { answerJobs } from '../output/job-results.ts';
import type { Progress } from '../output/progress.ts';
import type { ReachableEndpoint } from '../../providers/provider.ts';
import { healthTimeoutMs, lockWaitMs, showDeployEvent } from './deploy-events.ts';
import { watchJobs } from './watch-jobs.ts';

interface JobOfCluster {
  readonly clusterId: string;
  readonly name: string;
  jobId: string;
  outcome: JobOutcome | null;
}

export async function deployPerJob(
  context: Context<CommonOptions & { readonly detach?: boolean }>,
  input: DeployInput,
  progress: Progress,
): Promise<ExitCode> {
  const { options, place, report, signal } = context;
  const detached = options.detach ?? false;
  await removeExpired(input.provider, Date.now());
  const jobs: JobOfCluster[] = [];
  const endpoints = new Map<string, ReachableEndpoint>();
  const stopWatching = watchJobs(
    () =>
      jobs
        .filter((job) => job.outcome === null)
        .map(({ clusterId, jobId }) => ({ endpoint: endpoints.get(clusterId) ?? null, jobId })),
    progress,
  );
  try {
    const result = await runPerJob(input, {
      script: join(place.runtimeDir, 'application.js'),
      environment: place.environment,
      secrets: report.redactor.values,
      detached,
      signal,
      healthTimeoutMs,
      lockWaitMs,
      onEvent: (event) => showDeployEvent(progress, event),
      onEndpoint: (clusterId, endpoint) => endpoints.set(clusterId, endpoint),
      onCluster: (clusterId, name) => {
        jobs.push({ clusterId, name, jobId: '', outcome: null });
        progress.done(`Cluster ${clusterId} for job ${name}`);
      },
      onJob: (event) => {
        const job = jobs.find((j) => j.clusterId.endsWith(`-${event.executeIndex + 1}`))!;
        if (event.type === 'ended') job.outcome = event.outcome;
        else job.jobId = event.jobId;
      },
      onOutput: (text) => report.message(text.replace(/\n$/, '')),
    });
    stopWatching();
    progress.stop();
    return answerJobs(report, { detached }, jobs, result);
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.stop();
    throw await left(context, input, jobs);
  } finally {
    stopWatching();
  }
}

/** `main()` ended with us. Its clusters go on, or are cancelled when somebody is there who says so. */
async function left(
  context: Context,
  { provider }: DeployInput,
  jobs: readonly JobOfCluster[],
): Promise<ClusterError> {
  const reason = context.signal.reason as ClusterError;
  const open = jobs.filter((job) => job.outcome === null).map((job) => job.clusterId);
  const end = (code: string, message: string, hint: string | null) =>
    new ClusterError(
      reason.exitCode === ExitCode.timedOut ? ExitCode.timedOut : ExitCode.interrupted,
      problem({ code, message: `${reason.problems[0]!.message}: ${message}`, hint }),
    );
  if (open.length === 0) return end('interrupted', 'main() ended, no job runs', null);
  if (await wantsToCancel(context, open)) {
    const never = AbortSignal.timeout(60_000);
    await Promise.all(open.map((id) => cancel(provider, id, null, never)));
    return end('canceled', `${open.join(', ')} cancelled`, null);
  }
  const hint = `'fctl status ${open[0]} --watch' follows it, 'fctl cancel ${open[0]}' ends it`;
  return end('detached', `detached, ${open.join(', ')} goes on; main() ended`, hint);
}

async function wantsToCancel(context: Context, clusters: readonly string[]): Promise<boolean> {
  if (!process.stdin.isTTY || context.options.yes) return false;
  const question = `Cancel ${clusters.join(', ')}? Otherwise it goes on without you.`;
  return context.confirm(question).then(
    () => true,
    () => false,
  );
}
