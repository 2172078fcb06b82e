/**
 * Applications in the shapes of Flink's REST API: in application mode the one of the cluster, whose jobs
 * all jobs are; else those that were uploaded and run, and every other job by itself, as in Flink, with the
 * same id. Pure.
 */
import { createHash } from 'node:crypto';
import { ApplicationStatus } from '../../../contract/outcome.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { ClusterInfo } from '../../../contract/fctl-rest.ts';
import type {
  ClusterView,
  JarApplicationView,
  JobView,
} from '../../jobmanager/views/cluster-view.ts';
import { exceptionName } from './exceptions.ts';
import { jobSummary } from './job-summary.ts';

/** Times are epoch milliseconds. */
export interface ApplicationView {
  readonly id: string;
  readonly name: string;
  /** Flink's word. */
  readonly status: string;
  readonly startTime: number;
  /** -1: it runs. */
  readonly endTime: number;
  readonly jobs: readonly JobView[];
  readonly error: FailureInfo | null;
}

const statusWords: Readonly<Record<string, string>> = {
  [ApplicationStatus.running]: 'RUNNING',
  [ApplicationStatus.succeeded]: 'FINISHED',
  [ApplicationStatus.failed]: 'FAILED',
  [ApplicationStatus.canceled]: 'CANCELED',
};

export function applicationsOf(view: ClusterView): ApplicationView[] {
  const info = view.info();
  const jobs = view.jobs();
  const id = clusterApplicationId(info);
  if (id === null || info.application === null) return sessionApplications(view, jobs);
  const { endTime, error, startTime, status } = info.application;
  return [
    {
      id,
      name: info.clusterId,
      status: statusWords[status] ?? 'RUNNING',
      startTime,
      endTime: endTime ?? -1,
      jobs,
      error,
    },
  ];
}

function sessionApplications({ jars }: ClusterView, jobs: readonly JobView[]): ApplicationView[] {
  const run = (jars?.applications() ?? []).map((application) => runApplication(application, jobs));
  const taken = new Set(run.flatMap((application) => application.jobs));
  const single = jobs.filter((job) => !taken.has(job)).map(singleJobApplication);
  return [...run, ...single].toSorted((a, b) => b.startTime - a.startTime);
}

/** One that was uploaded: it ends after `main()` and all its jobs. */
function runApplication(
  { error, id, isCanceled, jobIds, mainEndTime, name, startTime }: JarApplicationView,
  all: readonly JobView[],
): ApplicationView {
  const jobs = all.filter((job) => jobIds.includes(job.id));
  const failed = jobs.find(({ state }) => state === 'FAILED');
  const cause = error ?? failed?.failure ?? null;
  const end = isCanceled
    ? (['CANCELING', 'CANCELED'] as const)
    : cause !== null || failed !== undefined
      ? (['FAILING', 'FAILED'] as const)
      : jobs.some(({ state }) => state === 'CANCELED')
        ? (['RUNNING', 'CANCELED'] as const)
        : (['RUNNING', 'FINISHED'] as const);
  const hasEnded = mainEndTime >= 0 && jobs.every(({ endTime }) => endTime >= 0);
  return {
    id,
    name,
    startTime,
    jobs,
    status: end[hasEnded ? 1 : 0],
    endTime: hasEnded ? Math.max(mainEndTime, ...jobs.map(({ endTime }) => endTime)) : -1,
    error: cause,
  };
}

const jobStatusWords: Readonly<Record<string, string>> = {
  FINISHED: 'FINISHED',
  FAILED: 'FAILED',
  FAILING: 'FAILING',
  CANCELED: 'CANCELED',
  CANCELLING: 'CANCELING',
};

function singleJobApplication(job: JobView): ApplicationView {
  return {
    id: job.id,
    name: `SingleJobApplication(${job.name})`,
    status: jobStatusWords[job.state] ?? 'RUNNING',
    startTime: job.startTime,
    endTime: job.endTime,
    jobs: [job],
    error: job.failure,
  };
}

/** Of application mode; `null` in other modes. */
function clusterApplicationId({ application, clusterId, mode, release }: ClusterInfo) {
  if (mode !== 'application' || application === null) return null;
  return createHash('sha256').update(`${clusterId}/${release}`).digest('hex').slice(0, 32);
}

/** Id of the application that the job belongs to. */
export function applicationIdOf({ id }: JobView, view: ClusterView): string {
  const run = view.jars?.applications().find(({ jobIds }) => jobIds.includes(id));
  return clusterApplicationId(view.info()) ?? run?.id ?? id;
}

const durationOf = ({ endTime, startTime }: ApplicationView, now: number) =>
  Math.max(0, (endTime < 0 ? now : endTime) - startTime);

/** `now`: epoch milliseconds. */
export function applicationSummary(application: ApplicationView, now: number) {
  const { endTime, id, jobs, name, startTime, status } = application;
  const states = Map.groupBy(jobs, ({ state }) => state);
  return {
    id,
    name,
    'start-time': startTime,
    'end-time': endTime,
    duration: durationOf(application, now),
    status,
    jobs: Object.fromEntries([...states].map(([state, members]) => [state, members.length])),
  };
}

export function applicationDetails(application: ApplicationView, now: number) {
  const { endTime, id, jobs, name, startTime, status } = application;
  const ended = (word: string) => (status === word ? Math.max(0, endTime) : 0);
  return {
    id,
    name,
    status,
    'start-time': startTime,
    'end-time': endTime,
    duration: durationOf(application, now),
    timestamps: {
      CREATED: startTime,
      RUNNING: startTime,
      FAILING: ended('FAILED'),
      FAILED: ended('FAILED'),
      CANCELING: ended('CANCELED'),
      CANCELED: ended('CANCELED'),
      FINISHED: ended('FINISHED'),
    },
    jobs: jobs.map(jobSummary),
  };
}

/** Why it failed. */
export function applicationExceptions({ endTime, error, jobs }: ApplicationView) {
  if (error === null) return { exceptionHistory: { entries: [] } };
  const stacktrace = error.stack ?? error.message;
  const failed = jobs.find(({ state }) => state === 'FAILED');
  return {
    exceptionHistory: {
      entries: [
        {
          exceptionName: exceptionName(stacktrace),
          stacktrace,
          timestamp: endTime < 0 ? (failed?.lastModification ?? 0) : endTime,
          ...(failed === undefined ? {} : { jobId: failed.id }),
        },
      ],
    },
  };
}
