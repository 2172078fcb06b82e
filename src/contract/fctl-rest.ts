/**
 * Our extensions of the REST API, under `/fctl/v1`. All but `ready` need the token.
 *
 * | request                              | answer                                              |
 * |--------------------------------------|-----------------------------------------------------|
 * | `GET /fctl/v1/ready`                 | 200 `{}` once the JobManager leads                  |
 * | `GET /fctl/v1/cluster`               | `ClusterInfo`                                       |
 * | `HEAD/GET /fctl/v1/blobs/:hash`      | 200 / 404, which tells how much of it is there; the bytes |
 * | `PUT /fctl/v1/blobs/:hash`           | 201, 200 if there already; 400 if the hash differs. With `Content-Range: bytes 5-9/10` the rest of one that broke off; 409 if it does not go on there, or somebody else goes on with it |
 * | `POST /fctl/v1/jobs`                 | 202 `{ jobId }`; body `SubmitJobRequest`           |
 * | `GET /fctl/v1/jobs/:id/result?wait=ms` | 200 `JobResultResponse`; waits up to 60 s for the end |
 * | `GET /fctl/v1/jobs/:id/attempts`     | 200 `JobAttemptsResponse`, also of jobs of an earlier JobManager |
 * | `POST /fctl/v1/cancel`               | 202: cancels the application: all its jobs, then it ends |
 * | `DELETE /cluster` (Flink's)          | 202: cancels all jobs and ends the cluster          |
 * | `GET /fctl/v1/record/:name`          | 200 `RecordDocumentResponse`: `endpoint`, `outcome` or `releases`, for TaskManagers that cannot reach the record itself |
 * | `GET /fctl/v1/rpc`                   | WebSocket of the TaskManagers                       |
 */
import type { FailureInfo, JobOutcome, RecordedAttempt } from './outcome.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * Request header with the leader epoch that a client believes in; a JobManager of another epoch refuses
 * the command. Optional: most clients know no epoch.
 */
export const EPOCH_HEADER = 'fctl-epoch';

/** How many bytes of a blob are there, whose upload has not ended: in answers 404 and 409. */
export const UPLOAD_OFFSET_HEADER = 'upload-offset';
/** Beside it: `1` while somebody sends it, else `0`. */
export const UPLOAD_ACTIVE_HEADER = 'upload-active';

export interface ClusterInfo {
  readonly protocol: number;
  readonly clusterId: string;
  readonly release: string;
  readonly epoch: number;
  readonly mode: string;
  readonly startTime: number;
  /** `null` in a session cluster. */
  readonly application: {
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number | null;
    readonly error: FailureInfo | null;
  } | null;
}

/** A document of the cluster's record; both are `null` where there is none. */
export interface RecordDocumentResponse {
  readonly version: string | null;
  readonly value: unknown;
}

export interface SubmitJobRequest {
  /** A `JobGraph`. */
  readonly graph: JsonObject;
  /**
   * Chosen by the client, 32 hex digits, so that a repeated request is the same job. The answer may name
   * another one: that of the same `execute` of an earlier run of `main()`.
   */
  readonly jobId: string;
  /** Which `execute` of `main()` it is, 0-based; `null` or left out: none. */
  readonly executeIndex?: number | null;
  /** Values that the cluster must not show. */
  readonly secrets?: readonly string[];
  /** What relative paths are relative to, where the cluster's machines have that folder. */
  readonly workingDirectory?: string | null;
  /** Of the application that this JobManager runs, when that submits it; `null` or left out: another one. */
  readonly applicationId?: string | null;
}

export interface JobResultResponse {
  readonly jobId: string;
  /** `null` while the job runs. */
  readonly outcome: JobOutcome | null;
  /** Values of `collect` sinks by the sink's name; with the outcome. */
  readonly collected: { readonly [name: string]: JsonValue };
  /** Why `collected` is empty though something was collected. */
  readonly collectedError?: string;
  /** Why the outcome has no accumulators though there may have been some. */
  readonly accumulatorsError?: string;
}

export interface JobAttemptsResponse {
  readonly jobId: string;
  readonly name: string;
  /** Flink's job states, or `LOST`: its JobManager was lost while it ran, and nobody knows how it ended. */
  readonly state: string;
  /** Oldest first; the newest 16. */
  readonly attempts: readonly RecordedAttempt[];
  /** What it waits for before it is deployed: `waits for 3 of 4 slots; 1 free`. `null`: for nothing. */
  readonly waitsFor?: string | null;
}
