/**
 * What is true about a cluster before something is done to it: processes, releases, jobs, epochs.
 *
 * A cluster whose application has just ended is about to leave: its processes are waited for, or a plan
 * would count on a TaskManager that is gone a moment later.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { pause } from '../../contract/pause.ts';
import {
  DocumentName,
  type JobsDocument,
  type RecordedJob,
  type ReleaseEntry,
} from '../../record/documents.ts';
import { readDocument, readRuns } from '../../record/record.ts';
import { type ObservedCluster, isAlive } from '../../providers/provider.ts';
import { jobManagersOf } from '../../providers/shared/job-managers.ts';
import { type Site, findLeader } from '../site.ts';

const timeoutMs = 3000;
/** What is still there then was left behind, and is for the plan to judge. */
const leavesWithinMs = 10_000;
const pollMs = 50;

export interface Situation {
  readonly observed: ObservedCluster | null;
  readonly releases: readonly ReleaseEntry[];
  /** The newest one that the record knows of. */
  readonly epoch: number;
  /** The name of the JobManager that led last, by the record; `null`: nobody knows. */
  readonly leader: string | null;
  /**
   * Nothing runs, and the newest run has no outcome although a JobManager led it: it crashed, and the
   * journal in the record is what the next JobManager goes on with.
   */
  readonly isUnfinished: boolean;
  /** Jobs that run, as far as is known; none when their JobManager does not. */
  readonly jobs: readonly RecordedJob[];
  /** What is recorded of all jobs of the newest run; `null`: nothing, or that run is over. */
  readonly journal: JobsDocument | null;
  /** Whether the journal is of a JobManager that leads and has not suspended its jobs. */
  readonly jobsRun: boolean;
  /** Whether the newest JobManager has suspended its jobs. */
  readonly isSuspended: boolean;
  /** TaskManagers that run no task, by the word of their JobManager. */
  readonly idle: ReadonlySet<string>;
}

export async function readSituation(site: Site, clusterId: ClusterId): Promise<Situation> {
  const { provider } = site;
  const store = provider.record(clusterId);
  const [present, runs, jobs] = await Promise.all([
    provider.observe(clusterId, site),
    readRuns(store),
    readDocument(store, DocumentName.jobs),
  ]);
  const observed = runs.isReleaseOver ? await afterItLeft(site, clusterId, present) : present;
  // Any of them may be the one that leads now: the first may have crashed.
  const leads = jobManagersOf(observed).some(({ status }) => status === 'running');
  return {
    observed,
    releases: runs.releases,
    epoch: runs.epoch,
    leader: runs.leader?.process ?? null,
    isUnfinished:
      runs.endpoint !== null && !runs.isOver && !(observed?.processes ?? []).some(isAlive),
    jobs: leads ? (jobs.value?.jobs ?? []).filter((job) => job.outcome === null) : [],
    journal: runs.isOver ? null : jobs.value,
    jobsRun:
      !runs.isSuspended &&
      jobs.value?.epoch === runs.epoch &&
      jobManagersOf(observed).some(
        (p) => p.name === runs.leader?.process && p.status === 'running',
      ),
    isSuspended: runs.isSuspended,
    idle: leads ? await idleTaskManagers(site, clusterId) : new Set(),
  };
}

async function afterItLeft(
  site: Site,
  clusterId: ClusterId,
  present: ObservedCluster | null,
): Promise<ObservedCluster | null> {
  const { clock, signal } = site;
  const end = clock.monotonic() + leavesWithinMs;
  let observed = present;
  while (observed?.processes.some(isAlive) && clock.monotonic() < end) {
    await pause(clock, pollMs, signal);
    signal.throwIfAborted();
    observed = await site.provider.observe(clusterId, site);
  }
  return observed;
}

export const isRunning = ({ observed }: Situation): boolean =>
  (observed?.processes ?? []).some(isAlive);

/** Empty where the JobManager does not answer: each may be in use. */
async function idleTaskManagers(site: Site, clusterId: ClusterId): Promise<ReadonlySet<string>> {
  const leader = await findLeader(site, clusterId, timeoutMs);
  const registered = (await leader?.api.taskManagers().catch(() => null)) ?? [];
  return new Set(registered.filter(({ isIdle }) => isIdle).map(({ name }) => name));
}

/** Ids of the jobs that have slots on some of the TaskManagers; `null`: nobody knows. */
export async function jobsOn(
  site: Site,
  clusterId: ClusterId,
  names: ReadonlySet<string>,
): Promise<ReadonlySet<string> | null> {
  const leader = await findLeader(site, clusterId, timeoutMs);
  return leader === null ? null : leader.api.jobsOn(names).catch(() => null);
}
