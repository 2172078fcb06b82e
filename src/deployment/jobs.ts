/** The jobs of a cluster, whether it runs or has ended: what its JobManager says, else what its record holds. */
import type { ClusterId } from '../contract/cluster-id.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { JobDetails } from '../contract/rest.ts';
import { DocumentName, type RecordedJob } from '../record/documents.ts';
import { readDocument } from '../record/record.ts';
import { noSuchCluster } from './cancel.ts';
import { followSnapshot } from './follow.ts';
import type { Site } from './site.ts';

export interface Job {
  readonly id: string;
  readonly name: string;
  /** Flink's job states; `LOST`: its JobManager is gone and wrote no end of it. */
  readonly state: string;
  readonly startTime: number;
  /** `null`: it has not ended, or nobody knows when. */
  readonly endTime: number | null;
  /** While its JobManager answers. */
  readonly live: JobDetails | null;
  /** `null`: the record does not have it. */
  readonly recorded: RecordedJob | null;
}

/**
 * Oldest first.
 * @throws ClusterError (exit 7) when there is no such cluster.
 */
export async function readJobs(site: Site, clusterId: ClusterId): Promise<readonly Job[]> {
  const { provider } = site;
  if ((await provider.observe(clusterId, site)) === null) throw noSuchCluster(clusterId);
  const [{ value }, live] = await Promise.all([
    readDocument(provider.record(clusterId), DocumentName.jobs),
    followSnapshot(site, clusterId),
  ]);
  const recorded = new Map(value?.jobs.map((job) => [job.id, job]));
  const jobs = new Map([...recorded].map(([id, job]) => [id, jobOf(job)]));
  for (const details of live ?? []) {
    jobs.set(details.jid, liveJobOf(details, recorded.get(details.jid) ?? null));
  }
  return [...jobs.values()].sort((a, b) => a.startTime - b.startTime);
}

/** One that has no end, and of which no JobManager knows any more, was lost with it. */
function jobOf(recorded: RecordedJob): Job {
  const { id, name, outcome, startTime } = recorded;
  const state = outcome?.state ?? 'LOST';
  return { id, name, state, startTime, endTime: outcome?.endTime ?? null, live: null, recorded };
}

const liveJobOf = (live: JobDetails, recorded: RecordedJob | null): Job => ({
  id: live.jid,
  name: live.name,
  state: live.state,
  startTime: live['start-time'],
  endTime: live['end-time'] < 0 ? null : live['end-time'],
  live,
  recorded,
});

/**
 * @param wanted an id, the beginning of one, or a name; `null`: the only one, or the only one that runs.
 * @throws ClusterError (exit 7) when there is none, or several are meant.
 */
export function chooseJob(jobs: readonly Job[], clusterId: ClusterId, wanted: string | null): Job {
  const running = jobs.filter(({ endTime, live }) => live !== null && endTime === null);
  const meant =
    wanted === null
      ? running.length === 1
        ? running
        : jobs
      : jobs.filter(({ id, name }) => name === wanted || id.startsWith(wanted));
  if (meant.length === 1) return meant[0]!;
  const known = jobs.map(({ id, name }) => `${name} (${id})`).join(', ');
  const message =
    meant.length > 1
      ? `${clusterId} has ${meant.length} jobs ${wanted === null ? '' : `called ${wanted}`}`.trim()
      : `${clusterId} has no job${wanted === null ? '' : ` ${wanted}`}`;
  const hint = jobs.length === 0 ? null : `name one by its id: ${known}`;
  throw new ClusterError(ExitCode.notFound, problem({ code: 'no-such-job', message, hint }));
}
