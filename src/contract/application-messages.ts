/**
 * What whoever starts the process of `main()` (a JobManager in application mode, else fctl), that process
 * and the worker thread in it say to each other. The main thread of the process passes on what is not for
 * it: the first message starts it, a result ends it.
 */
import { createFailure } from './failure.ts';
import type { FailureInfo, JobOutcome } from './outcome.ts';
import type { JobResultResponse } from './fctl-rest.ts';
import type { JsonObject } from './json.ts';

/** What an application can be asked instead of running: what may be run of it, and the graph of its first job. */
export type ApplicationQuestion = 'entries' | 'plan';

/** What may be run of an application. */
export interface ApplicationEntry {
  /** `main`, or the job's name. */
  readonly name: string;
  /** `null`: `main()`. */
  readonly job: string | null;
}

export type ApplicationAnswer =
  | { readonly type: 'entries'; readonly entries: readonly ApplicationEntry[] }
  /** `graph`: a `JobGraph`. */
  | { readonly type: 'plan'; readonly graph: JsonObject };

/** A JobManager as the process of `main()` reaches it. */
export interface JobManagerAddress {
  readonly restUrl: string;
  readonly token: string | null;
  /** Requests are refused by a JobManager of another epoch. */
  readonly epoch: number;
  /** What the JobManager calls this application, if it started it in a session. */
  readonly applicationId?: string | null;
}

/** First message to the process; `workerData` of the worker. */
export interface ApplicationStart {
  readonly mode: 'application' | 'per-job' | 'session';
  readonly bundleFile: string;
  readonly bundleHash: string;
  readonly args: JsonObject;
  /** Default parallelism. */
  readonly parallelism: number;
  /** Run this job, and not `main()`; `null`: as the application says. */
  readonly job: string | null;
  /** Values that the cluster must not show. In application mode it knows them. */
  readonly secrets: readonly string[];
  /** Ends with `main()`, without waiting for jobs that it did not wait for. */
  readonly detached: boolean;
  /** Takes all jobs; `null`: every job has one of its own, which is asked for (per-job mode). */
  readonly jobManager: JobManagerAddress | null;
  /** Id of the first job that is executed; default: a random one. */
  readonly jobId?: string | null;
  /** Answered instead of running the application, which then needs no JobManager. Default: none. */
  readonly question?: ApplicationQuestion | null;
}

/** Where `main()` runs, as failures tell it. */
export const locationOf = ({ mode }: Pick<ApplicationStart, 'mode'>): 'jobmanager' | 'client' =>
  mode === 'application' ? 'jobmanager' : 'client';

/** How `main()` ended. */
export type ApplicationResult =
  | { readonly type: 'succeeded' }
  | { readonly type: 'failed'; readonly failure: FailureInfo }
  /** A job that `main()` waited for was cancelled. */
  | { readonly type: 'canceled'; readonly failure: FailureInfo };

/** What `main()` does meanwhile. */
export type ApplicationEvent =
  | {
      readonly type: 'submitted';
      readonly executeIndex: number;
      readonly jobId: string;
      readonly name: string;
    }
  | { readonly type: 'ended'; readonly executeIndex: number; readonly outcome: JobOutcome }
  | UploadEvent;

/** A cached file that the cluster does not have goes there. */
export type UploadEvent =
  /** Now and then. */
  | {
      readonly type: 'uploading';
      /** Absolute path. */
      readonly file: string;
      /** Sent, or there from an upload that broke off. */
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly type: 'uploaded';
      readonly file: string;
      /** Over the network: less than the file has when its beginning was there. */
      readonly sentBytes: number;
      readonly totalBytes: number;
    };

/** Asked by the submitter on a client, answered by fctl. */
export type ClusterRequest =
  /** Per-job mode. */
  | { readonly type: 'cluster-wanted'; readonly executeIndex: number; readonly name: string }
  /** The JobManager answers no more: what does the record say, or in a session the next JobManager? */
  | { readonly type: 'result-wanted'; readonly executeIndex: number; readonly jobId: string };

export type ClusterReply =
  | {
      readonly type: 'cluster';
      readonly executeIndex: number;
      readonly jobManager: JobManagerAddress;
    }
  | { readonly type: 'result'; readonly executeIndex: number; readonly result: JobResultResponse }
  | { readonly type: 'no-cluster'; readonly executeIndex: number; readonly message: string };

export type ApplicationMessage =
  | ApplicationResult
  | ApplicationEvent
  | ApplicationAnswer
  | ClusterRequest;

export function isApplicationResult(value: unknown): value is ApplicationResult {
  const type = (value as { type?: unknown } | null)?.type;
  return type === 'succeeded' || type === 'failed' || type === 'canceled';
}

/** A failure of `main()` itself. */
export function mainFailure(
  message: string,
  stack: string | null = null,
  location = 'jobmanager',
): ApplicationResult {
  return { type: 'failed', failure: createFailure(message, { stack, task: 'main()', location }) };
}
