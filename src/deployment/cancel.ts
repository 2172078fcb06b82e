/** Cancels a job, or a whole application, through its JobManager. */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { OutcomeDocument } from '../record/documents.ts';
import { readEnd } from '../record/record.ts';
import { pause } from '../contract/pause.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { type ClusterApi, ClusterApiError } from '../engines/cluster-api.ts';
import { audited } from './audit.ts';
import { lossOf } from './follow.ts';
import { type Leader, type Site, findLeader } from './site.ts';
import { ClusterState, type ClusterStatus, clusterStatus } from './status.ts';

const outcomePollMs = 50;
/** How often whoever waits for an end looks for the JobManager. */
const lookMs = 400;
const timeoutMs = 10_000;

/**
 * Cancels and waits for the end.
 * @param jobId only this job; `null`: the application with all its jobs.
 * @returns the outcome, or `null` when only a job was cancelled.
 * @throws ClusterError (exit 7: no such cluster or job; exit 8: it has already ended), DeploymentError when
 *   the JobManager died without an outcome.
 */
export async function cancel(
  site: Site,
  clusterId: ClusterId,
  jobId: string | null,
  signal: AbortSignal,
): Promise<OutcomeDocument | null> {
  const leader = await reachable(site, clusterId, signal);
  const what = jobId === null ? 'cancel' : `cancel job ${jobId}`;
  return audited(site, clusterId, what, signal, () =>
    cancelAt(site, leader, clusterId, jobId, signal),
  );
}

async function cancelAt(
  site: Site,
  leader: Leader,
  clusterId: ClusterId,
  jobId: string | null,
  signal: AbortSignal,
): Promise<OutcomeDocument | null> {
  if (jobId !== null) {
    await leader.api.cancelJob(jobId).catch(refused);
    return null;
  }
  return endCluster(site, leader, clusterId, signal, (api) => api.cancelApplication());
}

/**
 * Asks a cluster to end and waits until it has written how it did. A JobManager that was started again does
 * not know what the one before it was asked: it is asked anew.
 * @throws ClusterError (exit 8) when it refuses, DeploymentError when it died without an outcome.
 */
export async function endCluster(
  site: Site,
  leader: Leader,
  clusterId: ClusterId,
  signal: AbortSignal,
  ask: (api: ClusterApi) => Promise<unknown>,
): Promise<OutcomeDocument> {
  const { clock, provider } = site;
  const { epoch } = leader.endpoint;
  await ask(leader.api).catch(refused);
  const store = provider.record(clusterId);
  const checkForLoss = lossOf(site, clusterId);
  let asked = epoch;
  for (let nextLook = clock.monotonic() + lookMs; ;) {
    signal.throwIfAborted();
    const outcome = await readEnd(store);
    if (outcome !== null && outcome.epoch >= epoch) return outcome;
    if (clock.monotonic() >= nextLook) {
      await checkForLoss(false);
      const now = await findLeader(site, clusterId, timeoutMs);
      const isNew = now !== null && now.endpoint.epoch > asked;
      if (isNew && (await wasTold(ask(now.api)))) asked = now.endpoint.epoch;
      nextLook = clock.monotonic() + lookMs;
    }
    await pause(clock, outcomePollMs, signal);
  }
}

/** A refusal will do: it ends already. One that does not lead yet has not heard of it. */
async function wasTold(answer: Promise<unknown>): Promise<boolean> {
  return answer.then(
    () => true,
    (error: unknown) =>
      error instanceof ClusterApiError && (error.kind === 'refused' || error.kind === 'not-found'),
  );
}

/** Where its JobManager is, once it answers: one that is on its way up is waited for. */
async function reachable(site: Site, clusterId: ClusterId, signal: AbortSignal): Promise<Leader> {
  for (;;) {
    const status = await clusterStatus(site, clusterId);
    if (status === null) throw noSuchCluster(clusterId);
    const leader = status.info === null ? null : await findLeader(site, clusterId, timeoutMs);
    if (leader !== null) return leader;
    if (!onItsWay.has(status.state)) throw notRunning(status);
    await pause(site.clock, lookMs, signal);
    signal.throwIfAborted();
  }
}

const onItsWay: ReadonlySet<string> = new Set([ClusterState.starting, ClusterState.restarting]);

function notRunning({ clusterId, state, explanation, outcome }: ClusterStatus): ClusterError {
  const why = outcome === null ? 'it cannot be cancelled' : 'there is nothing to cancel';
  return new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'not-running',
      message: `cluster ${clusterId} is ${state}: ${why}`,
      hint: explanation,
    }),
  );
}

/** The JobManager's own words. */
function refused(error: unknown): never {
  if (!(error instanceof ClusterApiError)) throw error;
  const exitCode = error.kind === 'not-found' ? ExitCode.notFound : ExitCode.conflict;
  throw new ClusterError(exitCode, problem({ code: 'refused', message: error.message }), {
    cause: error,
  });
}

/** For every verb that names a cluster. */
export function noSuchCluster(clusterId: ClusterId): ClusterError {
  return new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-cluster',
      message: `there is no cluster '${clusterId}'`,
      hint: "'fctl list' shows all clusters",
    }),
  );
}
