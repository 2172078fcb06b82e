/** Answers of Flink's REST API v1, with its own field names, as far as client and server need them. */

export interface Overview {
  readonly taskmanagers: number;
  readonly 'slots-total': number;
  readonly 'slots-available': number;
  readonly 'jobs-running': number;
  readonly 'jobs-finished': number;
  readonly 'jobs-cancelled': number;
  readonly 'jobs-failed': number;
  readonly 'flink-version': string;
  readonly 'flink-commit': string;
}

export interface JobSummary {
  readonly jid: string;
  readonly name: string;
  readonly jobType: string;
  readonly schedulerType: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly state: string;
  readonly 'last-modification': number;
  /** Subtasks by state in lower case, and `total`. */
  readonly tasks: Readonly<Record<string, number>>;
  readonly 'pending-operators': number;
}

export interface JobsOverview {
  readonly jobs: readonly JobSummary[];
}

/** Sums over subtasks; times in milliseconds. */
export interface IoMetrics {
  readonly 'read-bytes': number;
  readonly 'read-bytes-complete': boolean;
  readonly 'write-bytes': number;
  readonly 'write-bytes-complete': boolean;
  readonly 'read-records': number;
  readonly 'read-records-complete': boolean;
  readonly 'write-records': number;
  readonly 'write-records-complete': boolean;
  readonly 'accumulated-backpressured-time': number;
  readonly 'accumulated-idle-time': number;
  readonly 'accumulated-busy-time': number;
}

export interface VertexSummary {
  readonly id: string;
  readonly slotSharingGroupId: string;
  readonly name: string;
  readonly maxParallelism: number;
  readonly parallelism: number;
  readonly status: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly tasks: Readonly<Record<string, number>>;
  readonly metrics: IoMetrics;
  /** Ours: the lowest watermark of the subtasks, epoch milliseconds; absent from a real Flink. */
  readonly watermark?: number | null;
}

export interface JobDetails {
  readonly jid: string;
  readonly name: string;
  /** `STREAMING`: in our JobManager only unbounded jobs are. */
  readonly 'job-type': string;
  readonly state: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly vertices: readonly VertexSummary[];
}
