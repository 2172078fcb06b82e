/**
 * Follows an application to its end: snapshots while it runs, the outcome at last. Reads only; whether
 * anybody follows makes no difference to the cluster.
 */
import type { ClusterId } from '../contract/cluster-id.ts';
import type { OutcomeDocument } from '../record/documents.ts';
import { readEnd } from '../record/record.ts';
import { DeploymentError, problem } from '../contract/errors.ts';
import { pause } from '../contract/pause.ts';
import type { JobAttemptsResponse } from '../contract/fctl-rest.ts';
import type { JobDetails } from '../contract/rest.ts';
import { isAlive } from '../providers/provider.ts';
import { jobManagersOf } from '../providers/shared/job-managers.ts';
import { tailJobManagers } from './operation/log-tail.ts';
import { type Site, findLeader } from './site.ts';

/** Often enough to see the end at once, for it is one small file or request. */
const outcomePollMs = 50;
const snapshotMs = 400;
/** A cluster that has neither a JobManager, running or started again, nor an outcome for this long is lost. */
const lostAfterMs = 1500;

export interface FollowOptions {
  /** Outcomes of this epoch and below belong to earlier runs. */
  readonly previousEpoch: number;
  readonly signal: AbortSignal;
  /** Whether one that does not end by itself is followed all the same. Default: only until it runs. */
  readonly isEndless?: boolean;
  /** Jobs as they are now; while the JobManager answers. */
  readonly onSnapshot: (jobs: readonly JobDetails[]) => void;
}

/**
 * @returns how the application ended; `null`: it does not end by itself, for an unbounded job runs.
 * @throws DeploymentError when the JobManager died without an outcome.
 */
export async function followApplication(
  site: Site,
  clusterId: ClusterId,
  options: FollowOptions,
): Promise<OutcomeDocument | null> {
  const { clock, provider } = site;
  const store = provider.record(clusterId);
  const checkForLoss = lossOf(site, clusterId);
  let nextSnapshot = clock.monotonic();
  for (;;) {
    options.signal.throwIfAborted();
    const outcome = await readEnd(store);
    if (outcome !== null && outcome.epoch > options.previousEpoch) return outcome;
    if (clock.monotonic() >= nextSnapshot) {
      const jobs = await followSnapshot(site, clusterId);
      if (jobs !== null) options.onSnapshot(jobs);
      if (!options.isEndless && jobs?.some(runsForEver)) return null;
      await checkForLoss(jobs !== null);
      nextSnapshot = clock.monotonic() + snapshotMs;
    }
    await pause(clock, outcomePollMs, options.signal);
  }
}

function runsForEver(job: JobDetails): boolean {
  return job['job-type'] === 'STREAMING' && job.vertices.every((v) => v.status === 'RUNNING');
}

/**
 * For whoever waits for an outcome: to be called again and again, with whether the JobManager has just
 * answered. Throws a DeploymentError when the cluster has had none for a while.
 */
export function lossOf(site: Site, clusterId: ClusterId): (answers: boolean) => Promise<void> {
  let lostSince: number | null = null;
  return async (answers) => {
    const alive = answers || (await masterIsAlive(site, clusterId));
    const now = site.clock.monotonic();
    lostSince = alive ? null : (lostSince ?? now);
    if (lostSince !== null && now - lostSince > lostAfterMs) throw await lost(site, clusterId);
  };
}

async function masterIsAlive(site: Site, clusterId: ClusterId): Promise<boolean> {
  const observed = await site.provider.observe(clusterId, site);
  return jobManagersOf(observed).some(isAlive);
}

/** Details of all jobs, oldest first; `null` when the JobManager does not answer. */
export async function followSnapshot(
  site: Site,
  clusterId: ClusterId,
): Promise<JobDetails[] | null> {
  const leader = await findLeader(site, clusterId);
  if (leader === null) return null;
  try {
    const jobs = await leader.api.jobs();
    const byStart = [...jobs].sort((a, b) => a['start-time'] - b['start-time']);
    return await Promise.all(byStart.map((job) => leader.api.job(job.jid)));
  } catch {
    return null;
  }
}

/** The attempts of jobs that have not simply finished, by job id, as far as the engine has them; `null` as above. */
export async function attemptsOf(
  site: Site,
  clusterId: ClusterId,
  jobs: readonly JobDetails[],
): Promise<ReadonlyMap<string, JobAttemptsResponse> | null> {
  const leader = await findLeader(site, clusterId);
  if (leader === null) return null;
  try {
    const asked = jobs.filter(({ state }) => state !== 'FINISHED');
    const attempts = await Promise.all(asked.map(({ jid }) => leader.api.attempts(jid)));
    return new Map(attempts.flatMap((answer) => (answer ? [[answer.jobId, answer]] : [])));
  } catch {
    return null;
  }
}

async function lost(site: Site, clusterId: ClusterId): Promise<DeploymentError> {
  return new DeploymentError([
    problem({
      code: 'jobmanager-lost',
      message: `the JobManager of ${clusterId} died without an outcome`,
      hint: `'fctl deploy' starts the application again, 'fctl destroy ${clusterId}' cleans up`,
    }),
    ...(await tailJobManagers(site, clusterId)),
  ]);
}
