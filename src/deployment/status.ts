/**
 * What is true about a cluster: put together from its processes, its record and, when it answers, its
 * JobManager. Nothing is reported that was not seen just now, or written by the cluster itself.
 */
import type { ClusterId } from '../contract/cluster-id.ts';
import type {
  ClusterDocument,
  EndpointDocument,
  OutcomeDocument,
  ReleaseEntry,
} from '../record/documents.ts';
import { ProviderError } from '../contract/errors.ts';
import { readRecord } from '../record/record.ts';
import { isRecordDamaged } from '../record/store.ts';
import type { ClusterInfo } from '../contract/fctl-rest.ts';
import type { JobsOverview } from '../contract/rest.ts';
import { describeExit, memoryProblems } from '../providers/shared/describe-exit.ts';
import type { ObservedProcess } from '../providers/provider.ts';
import { jobManagersOf, liveliestJobManager } from '../providers/shared/job-managers.ts';
import { type Site, findLeader } from './site.ts';

const timeoutMs = 3000;
/** A JobManager that was started answers within this time, or something is wrong. */
const startMs = 30_000;

export const ClusterState = {
  /** Processes run, the JobManager does not answer yet. */
  starting: 'STARTING',
  running: 'RUNNING',
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  canceled: 'CANCELED',
  /** Its jobs were suspended for another release, under which they go on. */
  suspended: 'SUSPENDED',
  /** The JobManager crashed and is started again. */
  restarting: 'RESTARTING',
  /** Its JobManagers are gone without having written an outcome, and are not started again. */
  lost: 'LOST',
  /** The JobManager's process runs but does not answer, or the place does not where its record lies. */
  unreachable: 'UNREACHABLE',
  /** Its record cannot be read. */
  damaged: 'DAMAGED',
  /** The deployment of its current release began and was interrupted before a JobManager led. */
  incomplete: 'INCOMPLETE',
} as const;
export type ClusterState = (typeof ClusterState)[keyof typeof ClusterState];

export interface ClusterStatus {
  readonly clusterId: ClusterId;
  readonly state: ClusterState;
  /** For people, where the state alone does not say enough. */
  readonly explanation: string | null;
  readonly cluster: ClusterDocument | null;
  readonly release: ReleaseEntry | null;
  readonly processes: readonly ObservedProcess[];
  readonly endpoint: EndpointDocument | null;
  /** Where its REST API is reached from here, while it answers. */
  readonly rest: string | null;
  /** While the JobManager answers. */
  readonly info: ClusterInfo | null;
  readonly jobs: JobsOverview['jobs'];
  /** Of the newest run, once it has ended. */
  readonly outcome: OutcomeDocument | null;
}

/** @returns `null` when there is no such cluster. */
export async function clusterStatus(
  site: Site,
  clusterId: ClusterId,
): Promise<ClusterStatus | null> {
  try {
    return await readStatus(site, clusterId);
  } catch (error) {
    if (!isRecordDamaged(error)) throw error;
    const observed = await site.provider.observe(clusterId, site);
    const { message, file, hint } = error.problems[0]!;
    const processes = observed?.processes ?? [];
    return unread(clusterId, ClusterState.damaged, `${file}: ${message}; ${hint}`, processes);
  }
}

/** The same for one of many: one that is out of reach is said to be so, and keeps nobody from the others. */
export async function listedStatus(
  site: Site,
  clusterId: ClusterId,
): Promise<ClusterStatus | null> {
  try {
    return await clusterStatus(site, clusterId);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return unread(clusterId, ClusterState.unreachable, error.problems[0]!.message, []);
  }
}

/** Of a cluster whose record could not be read. */
const unread = (
  clusterId: ClusterId,
  state: ClusterState,
  explanation: string,
  processes: readonly ObservedProcess[],
): ClusterStatus => ({
  clusterId,
  state,
  explanation,
  cluster: null,
  release: null,
  processes,
  endpoint: null,
  rest: null,
  info: null,
  jobs: [],
  outcome: null,
});

async function readStatus(site: Site, clusterId: ClusterId): Promise<ClusterStatus | null> {
  const { provider } = site;
  const observed = await provider.observe(clusterId, site);
  if (observed === null) return null;
  const { cluster, currentRelease, endpoint, isOver, isSuspended, outcome } = await readRecord(
    provider.record(clusterId),
  );
  const current = isOver ? outcome : null;
  // Any of them may lead: the first may be gone.
  const mayAnswer = jobManagersOf(observed).some(
    ({ status, suspended = false }) => status === 'running' && !suspended,
  );
  const live = mayAnswer ? await ask(site, clusterId) : null;
  const judged = judge(
    liveliestJobManager(observed),
    live?.info ?? null,
    isSuspended ? 'suspended' : current,
    endpoint,
    cluster,
    currentRelease,
  );
  const memory = memoryProblems(observed).map(({ hint, message }) => `${message}: ${hint}`);
  return {
    clusterId,
    state: judged.state,
    explanation: [judged.explanation ?? [], memory].flat().join('; ') || null,
    cluster,
    release: currentRelease,
    processes: observed.processes,
    endpoint,
    rest: live?.url ?? null,
    info: live?.info ?? null,
    jobs: live?.jobs ?? [],
    outcome: live === null ? current : null,
  };
}

interface LiveAnswers {
  readonly url: string;
  readonly info: ClusterInfo;
  readonly jobs: JobsOverview['jobs'];
}

async function ask(site: Site, clusterId: ClusterId): Promise<LiveAnswers | null> {
  const leader = await findLeader(site, clusterId, timeoutMs);
  if (leader === null) return null;
  const { api, endpoint } = leader;
  try {
    const info = await api.info();
    if (info.clusterId !== clusterId) return null; // The port belongs to another cluster now.
    return { url: endpoint.url, info, jobs: await api.jobs() };
  } catch {
    return null;
  }
}

function judge(
  master: ObservedProcess | null,
  info: ClusterInfo | null,
  outcome: OutcomeDocument | 'suspended' | null,
  endpoint: EndpointDocument | null,
  cluster: ClusterDocument | null,
  release: ReleaseEntry | null,
): { state: ClusterState; explanation: string | null } {
  const say = (state: ClusterState, explanation: string | null = null) => ({ state, explanation });
  if (info !== null) {
    // Between its outcome and its exit a JobManager still answers.
    const status = info.application?.status;
    return say((status as ClusterState | undefined) ?? ClusterState.running);
  }
  if (master?.status === 'restarting') return say(ClusterState.restarting, describeCrash(master));
  if (outcome === 'suspended') {
    const why = 'its jobs were suspended for a release that does not run yet';
    return say(
      ClusterState.suspended,
      `${why}: ${mend[cluster?.mode ?? ''] ?? ''}with their state`,
    );
  }
  if (outcome !== null) {
    return say(outcome.status as ClusterState, outcome.error?.message ?? null);
  }
  if (master === null) {
    const hasRun = endpoint !== null && endpoint.epoch > (release?.afterEpoch ?? 0);
    const as = release === null ? '' : ` as release ${release.number} (${release.release})`;
    const next = `${mend[cluster?.mode ?? ''] ?? ''}'fctl destroy' removes it`;
    return hasRun
      ? say(ClusterState.lost, `it ran${as}, and its processes are gone: ${next}`)
      : say(ClusterState.incomplete, `its deployment was interrupted: ${next}`);
  }
  if (master.status === 'running' && master.suspended) {
    return say(
      ClusterState.unreachable,
      `the JobManager (${master.location}) does nothing until it is continued`,
    );
  }
  if (master.status === 'running') {
    const isNew = Date.now() - (master.startedAt ?? 0) < startMs;
    if (isNew && master.restarts > 0) return say(ClusterState.restarting, describeCrash(master));
    return isNew || endpoint === null
      ? say(ClusterState.starting)
      : say(ClusterState.unreachable, `the JobManager (${master.location}) does not answer`);
  }
  return say(
    ClusterState.lost,
    `the JobManager (${master.location}) is gone${after(master)} and is not started again: ` +
      `${mend[cluster?.mode ?? ''] ?? ''}'fctl destroy' removes it`,
  );
}

/** What goes on with a cluster of that mode. A per-job cluster is never deployed again. */
const mend: Readonly<Record<string, string>> = {
  application: "'fctl deploy' starts it again, ",
  session: "'fctl session start' starts it again, ",
};

/** ` (exit code 1, after 9 restarts)` */
function after(process: ObservedProcess): string {
  const { restarts } = process;
  const known = [
    describeExit(process) ?? [],
    restarts === 0 ? [] : `after ${restarts} restarts`,
  ].flat();
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

function describeCrash(master: ObservedProcess): string {
  const exit = describeExit(master);
  const how = exit === null ? '' : ` (${exit})`;
  const restart = master.restarts + (master.status === 'restarting' ? 1 : 0);
  return `the JobManager crashed${how} and is started again: restart ${restart}`;
}
