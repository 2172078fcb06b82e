/** `fctl deploy --mode per-job`: `main()` runs here, each of its jobs on a cluster of its own. */
import { join } from 'node:path';
import { type ClusterError, ProviderError } from '../../contract/errors.ts';
import type { ExitCode } from '../../contract/exit-codes.ts';
import { cancel } from '../../deployment/cancel.ts';
import type { DeployInput } from '../../deployment/operation/desired.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import { runPerJob } from '../../deployment/modes/per-job.ts';
import type { deploy as declaration } from '../commands/deploy.ts';
import type { Context } from '../context.ts';
import { endedBy } from '../interruption.ts';
import { answerJobs } from '../output/job-results.ts';
import type { Progress } from '../output/progress.ts';
import { Uploads } from '../output/uploads.ts';
import { refuseBeside } from '../options.ts';
import type { Given } from '../verb.ts';
import { operationOptions } from './operation-flags.ts';
import { type SubmittedJob, SubmittedJobs } from './submitted-jobs.ts';

const cancelTimeoutMs = 60_000;

export async function deployPerJob(
  context: Context,
  flags: Given<typeof declaration>,
  input: DeployInput,
  progress: Progress,
): Promise<ExitCode> {
  const { place, report, signal } = context;
  const { detach: detached } = flags;
  refuseBeside('in per-job mode', {
    'the plan': flags.plan !== null,
    '--confirm': flags.confirm,
    '--if-changed': flags.ifChanged,
    '--rollback-on-failure': flags.rollbackOnFailure,
    '--allow-state-loss': flags.allowStateLoss,
  });
  if (input.problems.length > 0) throw new ProviderError(input.problems);
  await removeExpired(input, Date.now());
  const jobs = new SubmittedJobs(progress);
  const uploads = new Uploads(progress);
  try {
    const result = await runPerJob(input, {
      script: join(place.runtimeDir, 'application.js'),
      environment: place.environment,
      secrets: report.redactor.values,
      detached,
      ...operationOptions(context, flags, progress),
      onCluster: (executeIndex, clusterId, name) => {
        jobs.expect(executeIndex, clusterId, name);
        progress.done(`Cluster ${clusterId} for job ${name}`);
      },
      onLeader: (executeIndex, { api }) => jobs.locate(executeIndex, api),
      onJob: (event) => {
        if (event.type === 'uploading' || event.type === 'uploaded') uploads.take(event);
        else jobs.take(event);
      },
      onOutput: (text) => report.output(text),
    });
    jobs.stop();
    progress.stop();
    return answerJobs(report, { uploadedBytes: uploads.sentBytes, detached }, jobs.all, result);
  } catch (error) {
    if (!signal.aborted) throw error;
    jobs.stop();
    progress.stop();
    throw await left(context, input, jobs.open);
  } finally {
    jobs.stop();
  }
}

/** `main()` ended with us. Its clusters go on, or are cancelled when somebody is there who says so. */
async function left(
  context: Context,
  input: DeployInput,
  open: readonly SubmittedJob[],
): Promise<ClusterError> {
  const { signal } = context;
  const ids = open.map(({ clusterId }) => clusterId);
  if (ids.length === 0) return endedBy(signal, 'interrupted', (why) => `${why}: no job runs`, null);
  const names = ids.join(', ');
  if (await wantsToCancel(context, names)) {
    const timeout = AbortSignal.timeout(cancelTimeoutMs);
    const site = { ...input, signal: timeout }; // its own has ended
    await Promise.all(ids.map((id) => cancel(site, id, null, timeout)));
    return endedBy(signal, 'canceled', (why) => `${why}: ${names} cancelled`, null);
  }
  return endedBy(
    signal,
    'detached',
    (why) => `${why}: detached, ${names} goes on; main() ended`,
    `'fctl status ${ids[0]} --watch' follows it, 'fctl cancel ${ids[0]}' ends it`,
  );
}

async function wantsToCancel(context: Context, names: string): Promise<boolean> {
  if (!process.stdin.isTTY || context.options.yes) return false;
  // What brought us here ends no question: Ctrl-C at this one means no.
  const { signal } = new AbortController();
  return context.confirm(`Cancel ${names}? Otherwise it goes on without you.`, signal).then(
    () => true,
    () => false,
  );
}
