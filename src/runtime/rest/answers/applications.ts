/**
 * Applications in the shapes of Flink's REST API: in application mode the one of the cluster, whose jobs
 * all jobs are; else every job is one by itself, as in Flink, with the same id. Pure.
 */
import { createHash } from 'node:crypto';
import { ApplicationStatus } from '../../../contract/documents.ts';
import type { FailureInfo } from '../../../contract/documents.ts';
import type { ClusterInfo } from '../../../contract/fctl-rest.ts';
import type { ClusterView, JobView } from '../../jobmanager/cluster-view.ts';
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
  if (id === null || info.application === null) return jobs.map(singleJobApplication);
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
export const applicationIdOf = (job: JobView, info: ClusterInfo): string =>
  clusterApplicationId(info) ?? job.id;

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
