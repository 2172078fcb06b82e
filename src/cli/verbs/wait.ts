/** `fctl wait`: until a cluster is in a state. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { ClusterState, type ClusterStatus } from '../../deployment/status.ts';
import { hasEnded, watchStatus } from '../../deployment/watch.ts';
import type { Awaited, wait as declaration } from '../commands/wait.ts';
import type { Context } from '../context.ts';
import { exitCodeOfState } from '../output/ending.ts';
import { describeFailedApplication } from '../output/jobs.ts';
import { type Progress, createProgress } from '../output/progress.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { awaited, cluster }: Given<typeof declaration>,
): Promise<number> {
  const { report } = context;
  const clusterId = await context.clusterId(cluster);
  const progress = await createProgress(report.options);
  try {
    const status = await waitFor(context, clusterId, awaited, progress);
    progress.stop();
    return answer(context, clusterId, awaited, status);
  } finally {
    progress.stop();
  }
}

/** @returns what it has become; `null`: it is gone. */
async function waitFor(
  context: Context,
  clusterId: ClusterId,
  awaited: Awaited,
  progress: Progress,
): Promise<ClusterStatus | null> {
  const site = await context.site();
  let told = '';
  for await (const status of watchStatus(site, clusterId, context.signal)) {
    if (status === null) {
      if (awaited === 'gone') return null;
      throw noSuchCluster(clusterId);
    }
    if (awaited !== 'gone' && (hasCome(awaited, status) || (await hasEnded(site, status)))) {
      return status;
    }
    if (told !== status.state) progress.step(`Waiting for ${clusterId}: ${status.state}`);
    told = status.state;
  }
  return null;
}

function hasCome(awaited: Awaited, { cluster, jobs, state }: ClusterStatus): boolean {
  if (awaited === 'finished') return false; // which is for `hasEnded` to say
  if (awaited !== 'running') return state === awaited;
  if (state !== ClusterState.running) return false;
  if (cluster?.mode === 'session') return true;
  const run = jobs.filter((job) => job.state === 'RUNNING');
  return (
    run.length > 0 &&
    run.every(({ tasks }) => (tasks.running ?? 0) + (tasks.finished ?? 0) === tasks.total)
  );
}

/** @returns the exit code. */
function answer(
  { report }: Context,
  clusterId: ClusterId,
  awaited: Awaited,
  status: ClusterStatus | null,
): number {
  const state = status?.state ?? null;
  const data = { clusterId, awaited, state, outcome: status?.outcome ?? null };
  const isMeant = status === null || hasCome(awaited, status);
  const ending = status === null ? ExitCode.done : exitCodeOfState(status.state);
  if (isMeant || (ending === ExitCode.done && (awaited === 'running' || awaited === 'finished'))) {
    report.result(data, () => `${clusterId} is ${state ?? 'gone'}.`);
    return ExitCode.done;
  }
  const { explanation, outcome } = status;
  const isFailed = outcome !== null && ending === ExitCode.jobFailed;
  const message = isFailed
    ? describeFailedApplication(state === ClusterState.canceled, outcome.error)
    : `${clusterId} is ${state}${explanation === null ? '' : `: ${explanation}`}`;
  report.failure([problem({ code: `cluster-${state!.toLowerCase()}`, message })], data);
  return ending === ExitCode.done ? ExitCode.conflict : ending;
}
