/**
 * Sinks write in two steps: writers in the subtasks prepare (files under a temporary name), and one
 * committer on the JobManager publishes what all of them prepared, when the job has finished. A job that
 * fails or is cancelled publishes nothing.
 */
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { TypeShape } from './types.ts';

/** How the JobManager makes the committer. `kind` is a key of the connectors' registry. */
export interface CommitterSpec {
  readonly kind: string;
  readonly options: JsonObject;
}

/** What a writer prepared. Plain JSON. */
export type Committable = JsonValue;

export interface Sink<T> {
  /** Name of the operator: `files: out/delays`. */
  readonly name: string;
  /** `null`: nothing to publish at the end (print, discard). */
  readonly committer: CommitterSpec | null;
  /** Of what it writes: a record that is of another one fails the job. Absent: it takes any. */
  readonly type?: TypeShape;
  /**
   * Its writers change no record, and keep nothing of one once `write` has returned: records need not be
   * copied for them. Default false.
   */
  readonly consumesAtOnce?: boolean;
  createWriter(context: WriterContext): SinkWriter<T>;
}

export interface WriterContext {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly jobId: string;
  /** Of the JobManager that runs the job; each that takes the job over has a higher one. */
  readonly epoch: number;
  /** Grows with every attempt of the subtask. */
  readonly attempt: number;
  readonly workingDirectory: string;
  /** `print` writes here: the `.out` file of the process. */
  readonly stdout: TextOutput;
}

/** Text on its way to a file of the process. */
export interface TextOutput {
  write(text: string): void;
  /** Not `null`: too much is on its way; it has gone when this resolves. */
  ready(): Promise<void> | null;
  /** All that was written has gone when this resolves. */
  flushed(): Promise<void>;
}

export interface SinkWriter<T> {
  open(): Promise<void>;
  /** Synchronous: buffers. */
  write(value: T, timestamp: number): void;
  /** Not `null`: too much is buffered; no record is written until it resolves. Rejects on failure. */
  ready(): Promise<void> | null;
  /** End of input: everything is durable under temporary names when this resolves. */
  finish(): Promise<readonly Committable[]>;
  /** The task failed or was cancelled: removes what was prepared. Never rejects. */
  abort(): Promise<void>;
}

/** Runs on the JobManager, one per sink of a job. */
export interface SinkCommitter {
  /** Before any task is deployed: is the target usable? Rejects with a clear error. */
  prepare(): Promise<void>;
  /** Publishes. Idempotent. May return a value for `JobResult.collected` (the `collect` sink). */
  commit(committables: readonly Committable[]): Promise<JsonValue | undefined>;
  /** The job failed or was cancelled: removes everything that was not published. */
  abort(): Promise<void>;
}
