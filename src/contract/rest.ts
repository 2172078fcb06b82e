/**
 * Answers of Flink's REST API v1, with its own field names, as far as client and server need them.
 * Times are epoch milliseconds or milliseconds; -1: not yet.
 */
import type { CompletableIoField, IoField, VertexField } from './metrics/task-metrics.ts';

/** Every error, whatever its status. */
export interface ErrorAnswer {
  readonly errors: readonly string[];
}

/** `GET /config`: what the Web UI asks for first. */
export interface DashboardConfig {
  readonly 'refresh-interval': number;
  readonly 'timezone-name': string;
  readonly 'timezone-offset': number;
  readonly 'flink-version': string;
  readonly 'flink-revision': string;
  readonly features: {
    readonly 'web-submit': boolean;
    readonly 'web-cancel': boolean;
    readonly 'web-rescale': boolean;
    readonly 'web-history': boolean;
  };
}

/** `GET /overview` */
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

/** One of `GET /jobmanager/config`. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
}

/** Memory in MiB. */
export interface ResourceProfile {
  readonly cpuCores: number;
  readonly taskHeapMemory: number;
  readonly taskOffHeapMemory: number;
  readonly managedMemory: number;
  readonly networkMemory: number;
  readonly extendedResources: Readonly<Record<string, number>>;
}

/** One of `GET /taskmanagers`. */
export interface TaskManagerInfo {
  readonly id: string;
  readonly path: string;
  readonly dataPort: number;
  readonly jmxPort: number;
  /** Other than its name says: when it was. */
  readonly timeSinceLastHeartbeat: number;
  readonly slotsNumber: number;
  readonly freeSlots: number;
  readonly assignedTasks: number;
  readonly totalResource: ResourceProfile;
  readonly freeResource: ResourceProfile;
  /** Memory in bytes. */
  readonly hardware: {
    readonly cpuCores: number;
    readonly physicalMemory: number;
    readonly freeMemory: number;
    readonly managedMemory: number;
  };
  /** Bytes. */
  readonly memoryConfiguration: Readonly<Record<string, number>>;
}

export interface TaskManagers {
  readonly taskmanagers: readonly TaskManagerInfo[];
}

/** `GET /taskmanagers/:taskmanagerid` */
export interface TaskManagerDetails extends TaskManagerInfo {
  readonly allocatedSlots: readonly {
    readonly jobId: string;
    readonly resource: ResourceProfile;
    readonly assignedTasks: number;
  }[];
  readonly metrics: {
    readonly heapUsed: number;
    readonly heapCommitted: number;
    readonly heapMax: number;
    readonly nonHeapUsed: number;
    readonly nonHeapCommitted: number;
    readonly nonHeapMax: number;
    readonly directCount: number;
    readonly directUsed: number;
    readonly directMax: number;
    readonly mappedCount: number;
    readonly mappedUsed: number;
    readonly mappedMax: number;
    readonly nettyShuffleMemorySegmentsAvailable: number;
    readonly nettyShuffleMemorySegmentsUsed: number;
    readonly nettyShuffleMemorySegmentsTotal: number;
    readonly nettyShuffleMemoryAvailable: number;
    readonly nettyShuffleMemoryUsed: number;
    readonly nettyShuffleMemoryTotal: number;
    readonly garbageCollectors: readonly {
      readonly name: string;
      readonly count: number;
      readonly time: number;
    }[];
  };
}

/** `GET /jobs` */
export interface JobIds {
  readonly jobs: readonly { readonly id: string; readonly status: string }[];
}

/** `GET /jobs/:jobid/status` */
export interface JobStatusAnswer {
  readonly status: string;
}

/** One of `GET /jobs/overview`. */
export interface JobSummary {
  readonly jid: string;
  readonly name: string;
  readonly jobType: string;
  /** `null`: the job failed before it had one. */
  readonly schedulerType: string | null;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly state: string;
  /** Our own, and not of Flink's states: `LOST`. Its clients, which read `state`, take it for failed. */
  readonly 'fctl-state'?: string;
  readonly 'last-modification': number;
  /** Subtasks by state in lower case, and `total`. */
  readonly tasks: Readonly<Record<string, number>>;
  readonly 'pending-operators': number;
}

export interface JobsOverview {
  readonly jobs: readonly JobSummary[];
}

/** Of a subtask, or sums over subtasks. */
export type IoMetrics = Readonly<Record<IoField, number>> & {
  /** Whether the value of the field is known. */
  readonly [Field in CompletableIoField as `${Field}-complete`]: boolean;
};

/** Ours: the fields of vertices that Flink does not have; absent from a real one. Watermarks: epoch milliseconds. */
export type OwnVertexFields = { readonly [Field in VertexField]?: number | null };

export interface VertexSummary extends OwnVertexFields {
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
}

export interface JobPlan {
  readonly jid: string;
  readonly name: string;
  readonly type: string;
  readonly nodes: readonly PlanNode[];
}

export interface PlanNode {
  readonly id: string;
  readonly operator: string;
  readonly parallelism: number;
  readonly operator_strategy: string;
  readonly description: string;
  readonly optimizer_properties: Readonly<Record<string, never>>;
  /** Absent from a source. */
  readonly inputs?: readonly {
    readonly id: string;
    readonly num: number;
    readonly exchange: string;
    readonly ship_strategy: string;
  }[];
}

/** `GET /jobs/:jobid/plan` */
export interface JobPlanAnswer {
  readonly plan: JobPlan;
}

/** `GET /jobs/:jobid` */
export interface JobDetails {
  readonly jid: string;
  readonly 'application-id': string;
  readonly name: string;
  readonly isStoppable: boolean;
  /** `STREAMING`: in our JobManager only unbounded jobs are. */
  readonly 'job-type': string;
  readonly schedulerType: string | null;
  readonly state: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly maxParallelism: number;
  readonly now: number;
  /** When each state was entered; 0: never. */
  readonly timestamps: Readonly<Record<string, number>>;
  readonly vertices: readonly VertexSummary[];
  /** Vertices by state. */
  readonly 'status-counts': Readonly<Record<string, number>>;
  readonly plan: JobPlan;
  readonly 'pending-operators': number;
}

/** `GET /jobs/:jobid/config` */
export interface JobConfig {
  readonly jid: string;
  readonly name: string;
  readonly 'execution-config': {
    readonly 'restart-strategy': string;
    readonly 'job-parallelism': number;
    readonly 'object-reuse-mode': boolean;
    readonly 'user-config': Readonly<Record<string, string>>;
  };
}

/** What is not known is left out. */
export interface JobException {
  readonly exceptionName: string;
  readonly stacktrace: string;
  readonly timestamp: number;
  readonly failureLabels: Readonly<Record<string, string>>;
  readonly taskName?: string;
  readonly endpoint?: string;
  readonly taskManagerId?: string;
}

/** `GET /jobs/:jobid/exceptions`; newest first. */
export interface JobExceptions {
  readonly exceptionHistory: {
    readonly entries: readonly (JobException & {
      readonly concurrentExceptions: readonly JobException[];
    })[];
    readonly truncated: boolean;
  };
}

/** `GET /jobs/:jobid/accumulators` */
export interface JobAccumulators {
  readonly 'job-accumulators': readonly never[];
  readonly 'user-task-accumulators': readonly {
    readonly name: string;
    readonly type: string;
    readonly value: string;
  }[];
  /** Java-serialized, and so never from us. */
  readonly 'serialized-user-task-accumulators': Readonly<Record<string, string>>;
}

export interface SubtaskDetails {
  readonly subtask: number;
  readonly status: string;
  readonly attempt: number;
  readonly endpoint: string;
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
  readonly metrics: IoMetrics;
  readonly 'taskmanager-id': string;
  readonly 'status-duration': Readonly<Record<string, number>>;
  /** Old spelling of `start-time`. */
  readonly start_time: number;
}

/** Over the subtasks of a vertex; whole numbers. */
export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly sum: number;
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  readonly p95: number;
}

/** `GET /jobs/:jobid/vertices/:vertexid` */
export interface VertexDetails {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly now: number;
  readonly subtasks: readonly SubtaskDetails[];
  readonly aggregated: {
    readonly metrics: Readonly<Record<string, Statistics>>;
    readonly 'status-duration': Readonly<Record<string, Statistics>>;
  };
}

/** Of every metrics endpoint; `value` only when the metric was asked for by name. */
export interface Metric {
  readonly id: string;
  readonly value?: string;
}
