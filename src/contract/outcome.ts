/** How applications, jobs and their attempts ended: what the record keeps and REST tells. */
import type { JsonObject } from './json.ts';
import type { TaskMetrics } from './metrics/task-metrics.ts';

export const ApplicationStatus = {
  running: 'RUNNING',
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  canceled: 'CANCELED',
  /** Its jobs were stopped with a savepoint each, for another JobManager to go on with: not an end. */
  suspended: 'SUSPENDED',
  unknown: 'UNKNOWN',
} as const;
export type ApplicationStatus = (typeof ApplicationStatus)[keyof typeof ApplicationStatus];

/** How one job ended. */
export interface JobOutcome {
  readonly id: string;
  readonly name: string;
  /** Flink's job states: `FINISHED`, `FAILED`, `CANCELED`; `LOST` where nobody knows. */
  readonly state: string;
  readonly startTime: number;
  readonly endTime: number;
  /** Message, mapped stack and task of the failure. */
  readonly error: FailureInfo | null;
  readonly accumulators: JsonObject;
  readonly vertices: readonly VertexOutcome[];
  /** Folders in which its sinks published, absolute; absent in records of earlier versions. */
  readonly outputs?: readonly string[];
}

/** With the last metrics of its subtasks as one; those that a record of an earlier version lacks are absent. */
export interface VertexOutcome extends Partial<TaskMetrics> {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly state: string;
}

/** What kind of thing a failure was, where that decides what follows from it. */
export const FailureKind = {
  /** A task lost the connection to another one: a consequence of what happened there. */
  peerLost: 'peer-lost',
  /** A function of the application has thrown. */
  userCode: 'user-code',
  outOfMemory: 'out-of-memory',
  /** A slot ended by itself: a crash, `process.exit()`. */
  slotLost: 'slot-lost',
} as const;
export type FailureKind = (typeof FailureKind)[keyof typeof FailureKind];

export interface FailureInfo {
  /** Absent: none of these, or a record of an earlier version. */
  readonly kind?: FailureKind;
  readonly message: string;
  /** Stack with positions in the user's own files, where source maps allow. */
  readonly stack: string | null;
  /** `Window(1d) -> Sink: files (2/2)`; `null` when it was not a task. */
  readonly task: string | null;
  /** Where it happened: `taskmanager-0`. */
  readonly location: string | null;
}

/** The state of a job, or of an attempt, whose JobManager was lost while it ran. */
export const LOST = 'LOST';

/** One attempt to run a job. */
export interface RecordedAttempt {
  /** 0-based; a new JobManager counts on. */
  readonly attempt: number;
  /** Of the JobManager that ran it. */
  readonly epoch: number;
  readonly startTime: number;
  /** `null`: it runs. Of a lost one: when that was noticed. */
  readonly endTime: number | null;
  /** `RUNNING`, `LOST`, or how it ended. */
  readonly state: string;
}
