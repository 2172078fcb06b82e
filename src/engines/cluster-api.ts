/**
 * What a client asks the JobManager that leads a cluster, whatever engine the cluster runs: each engine
 * answers in its own way. Jobs have the shapes of Flink's REST API.
 */
import type { ClusterInfo, JobAttemptsResponse } from '../contract/fctl-rest.ts';
import type { JobDetails, JobException, JobsOverview } from '../contract/rest.ts';

/** Every method rejects with a `ClusterApiError`. */
export interface ClusterApi {
  /** Of which cluster, release and run the JobManager is. */
  info(): Promise<ClusterInfo>;
  /** Those that are registered. */
  taskManagers(): Promise<readonly RegisteredTaskManager[]>;
  /** Ids of the jobs that have slots on the TaskManagers of these names. */
  jobsOn(names: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  /** All jobs, those that have ended included. */
  jobs(): Promise<JobsOverview['jobs']>;
  job(jobId: string): Promise<JobDetails>;
  /** All attempts to run a job; `null`: the engine keeps no account of them. */
  attempts(jobId: string): Promise<JobAttemptsResponse | null>;
  /** Why a job failed last, in one line; `null`: it never did, or nobody knows. */
  failureOf(jobId: string): Promise<string | null>;
  /** What a job threw, newest first; none: nothing, or the engine keeps no account of it. */
  exceptions(jobId: string): Promise<readonly JobException[]>;
  /** Asks for it; the job ends a little later. */
  cancelJob(jobId: string): Promise<void>;
  /** Asks for it; jobs and application are cancelled, and the cluster ends a little later. */
  cancelApplication(): Promise<void>;
  /** Asks for it; all jobs are cancelled, and the cluster ends a little later. */
  shutDown(): Promise<void>;
}

export interface RegisteredTaskManager {
  /** The name of its process: `taskmanager-1`. */
  readonly name: string;
  /** It runs no task. */
  readonly isIdle: boolean;
}

/**
 * `silent`: it did not answer. `not-leading`: it does not lead yet, and has not taken what it was asked.
 * `not-found`: it knows no such job. `refused`: it said no.
 */
export type ClusterApiErrorKind = 'silent' | 'not-leading' | 'not-found' | 'refused';

/** The message is the JobManager's own, where it said something. */
export class ClusterApiError extends Error {
  readonly kind: ClusterApiErrorKind;

  constructor(kind: ClusterApiErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterApiError';
    this.kind = kind;
  }
}
