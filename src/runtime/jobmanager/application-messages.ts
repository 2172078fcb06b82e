/**
 * What the JobManager, the process of `main()` and the worker thread in it say to each other. The worker's
 * messages are passed on as they are.
 */
import type { FailureInfo } from '../../contract/documents.ts';
import type { JsonObject } from '../../contract/json.ts';

/** First and only message to the process; `workerData` of the worker. */
export interface ApplicationStart {
  readonly bundleFile: string;
  readonly bundleHash: string;
  readonly args: JsonObject;
  /** Default parallelism. */
  readonly parallelism: number;
  /** Of the JobManager, on this machine. */
  readonly restUrl: string;
  readonly token: string | null;
  /** Requests are refused by a JobManager of another epoch. */
  readonly epoch: number;
}

/** How `main()` ended. */
export type ApplicationResult =
  | { readonly type: 'succeeded' }
  | { readonly type: 'failed'; readonly failure: FailureInfo }
  /** A job that `main()` waited for was cancelled. */
  | { readonly type: 'canceled'; readonly failure: FailureInfo };

export function isApplicationResult(value: unknown): value is ApplicationResult {
  const type = (value as { type?: unknown } | null)?.type;
  return type === 'succeeded' || type === 'failed' || type === 'canceled';
}

/** A failure of `main()` itself. */
export function mainFailure(message: string, stack: string | null = null): ApplicationResult {
  return { type: 'failed', failure: { message, stack, task: 'main()', location: 'jobmanager' } };
}
