/**
 * What REST sees of a JobManager: snapshots to read and few commands. REST reads nothing else, and every
 * snapshot is immutable. Times are epoch milliseconds.
 */
import type { Readable } from 'node:stream';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type {
  ClusterInfo,
  JobAttemptsResponse,
  JobResultResponse,
  RecordDocumentResponse,
  SubmitJobRequest,
} from '../../../contract/fctl-rest.ts';
import type { ProcessFigures } from '../../../contract/metrics/process-metrics.ts';
import type { UserMetric } from '../../../contract/metrics/user-metrics.ts';
import type { TaskMetrics } from '../../../contract/metrics/task-metrics.ts';
import type { JsonObject, JsonValue } from '../../../contract/json.ts';
import type { DocumentName } from '../../../record/documents.ts';
import type { JobGraph } from '../../../graph/job-graph.ts';
import type { ExecutionState, LogFileInfo, LogRange, ThreadInfo } from '../../rpc/protocol.ts';
import type { Jar } from '../dispatcher/jars.ts';
import type { JobStatus } from '../scheduler/job-status.ts';
import type { Operations } from '../dispatcher/operations.ts';
import type { RecentMetrics } from '../../metrics/recent-metrics.ts';

export interface ClusterView {
  /** Applications that are uploaded and run here; `null`: this cluster takes none. */
  readonly jars: Jars | null;
  /** Whether this JobManager leads and takes requests: `/fctl/v1/ready`. */
  readonly ready: boolean;
  readonly epoch: number;
  /** Dotted keys, secrets masked. */
  readonly effectiveConfig: Readonly<Record<string, string>>;
  readonly blobs: BlobStore;
  /** Asked for over REST. */
  readonly operations: Operations;
  /** Of this JobManager. */
  readonly logs: LogFiles;
  readonly environment: ProcessEnvironment;

  /** Epoch milliseconds. */
  now(): number;
  /** `GET /fctl/v1/cluster`. */
  info(): ClusterInfo;
  overview(): ClusterOverview;
  taskManagers(): readonly TaskManagerView[];
  /** Newest first, as Flink lists them. */
  jobs(): readonly JobView[];
  /** What this JobManager uses. */
  process(): ProcessFigures;
  threads(): readonly ThreadInfo[];
  /** Of a TaskManager, by its id. Both reject with RpcError when it is gone or does not answer. */
  taskManagerLogs(id: string): LogFiles;
  taskManagerThreads(id: string): Promise<readonly ThreadInfo[]>;
  job(jobId: string): JobView | null;

  /** A document of the cluster's record, as it is now. */
  document(name: DocumentName): Promise<RecordDocumentResponse>;

  /** Takes a job in. Repeating a request with the same `jobId` is accepted and changes nothing. */
  submitJob(request: SubmitJobRequest): Promise<SubmitResult>;
  cancelJob(jobId: string): CommandResult;
  /** Cancels all jobs and ends the application. */
  cancelApplication(): CommandResult;
  /** Cancels all jobs and ends the cluster. */
  shutDown(): CommandResult;
  /**
   * The result of a job, at the latest after `waitMs`; `outcome` is `null` while it runs.
   * @returns `null`: no such job.
   */
  jobResult(jobId: string, waitMs: number): Promise<JobResultResponse | null>;
  /** `null`: no such job. */
  jobAttempts(jobId: string): JobAttemptsResponse | null;
}

/** Expected refusals are values: REST turns them into 400, 404, 409 and 503. */
export type CommandResult =
  | { readonly type: 'accepted' }
  | {
      readonly type: 'refused';
      readonly reason: 'invalid' | 'not-found' | 'conflict' | 'unavailable';
      readonly message: string;
    };

export type Refused = Extract<CommandResult, { type: 'refused' }>;

export type SubmitResult =
  /** `jobId`: the one of the request, or that of the same `execute` of an earlier run of `main()`. */
  { readonly type: 'accepted'; readonly jobId: string } | Refused;

/** What is run of an uploaded application, and how. */
export interface JarRun {
  /** `main`, or a job's name; `null`: as the application says. */
  readonly entry: string | null;
  readonly args: JsonObject;
  /** Default parallelism; `null`: the cluster's. */
  readonly parallelism: number | null;
  /** Id of the first job that it executes; `null`: a random one. */
  readonly jobId: string | null;
}

export interface Jars {
  /** Newest first. */
  list(): Promise<readonly Jar[]>;
  find(id: string): Promise<Jar | null>;
  /** Rejects with JarError when it is none that can run here. */
  add(name: string, content: Uint8Array): Promise<Jar>;
  /** @returns whether there was one. */
  remove(id: string): Promise<boolean>;
  /** The graph of the first job that it would execute. */
  plan(
    jar: Jar,
    run: JarRun,
  ): Promise<{ readonly type: 'planned'; readonly graph: JobGraph } | Refused>;
  /** Starts it, and answers when it has submitted its first job. */
  run(
    jar: Jar,
    run: JarRun,
  ): Promise<
    { readonly type: 'submitted'; readonly jobId: string; readonly applicationId: string } | Refused
  >;
  /** Starts it, and answers at once. */
  start(
    jar: Jar,
    run: JarRun,
  ): Promise<{ readonly type: 'started'; readonly applicationId: string } | Refused>;
  /** Those that were started, newest first. */
  applications(): readonly JarApplicationView[];
  /** Cancels `main()` and its jobs. */
  cancel(applicationId: string): CommandResult;
}

export interface JarApplicationView {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly startTime: number;
  /** In the order of their submission. */
  readonly jobIds: readonly string[];
  /** Whether it was told to end. */
  readonly isCanceled: boolean;
  /** When `main()` ended; -1 while it runs. */
  readonly mainEndTime: number;
  /** Why `main()` failed; `null`: it did not. */
  readonly error: FailureInfo | null;
}

export interface BlobStore {
  /** Where the verified content lies; `null` when it is not there. */
  find(hash: string): Promise<{ readonly file: string; readonly sizeBytes: number } | null>;
  /** What has come of an upload that has not ended well; `isGrowing`: somebody is sending it. */
  part(hash: string): Promise<{ readonly sizeBytes: number; readonly isGrowing: boolean }>;
  /**
   * Writes under a temporary name, verifies, renames. Not all of `content` is read unless that is done.
   * @param offset where `content` begins; above 0 it is the rest of what `part` has. Default: 0.
   */
  put(hash: string, content: Readable, offset?: number): Promise<PutResult>;
}

export type PutResult =
  | 'created'
  | 'exists'
  /** What came is thrown away. */
  | 'hash-differs'
  /** `part` has another size. */
  | 'other-offset'
  /** A newer upload of it goes on from what came. */
  | 'superseded';

export interface LogFiles {
  /** The file that the process logs to, and the one with what user code prints. */
  readonly current: { readonly log: string; readonly out: string };
  list(): Promise<readonly LogFileInfo[]>;
  /** `null`: there is no such file. */
  read(range: LogRange): Promise<Uint8Array | null>;
}

/** What runs this JobManager. */
export interface ProcessEnvironment {
  readonly version: string;
  readonly arch: string;
  /** Of Node.js. */
  readonly options: readonly string[];
  readonly script: string;
}

export interface ClusterOverview {
  readonly taskManagers: number;
  readonly slotsTotal: number;
  readonly slotsAvailable: number;
  readonly jobsRunning: number;
  readonly jobsFinished: number;
  readonly jobsCancelled: number;
  readonly jobsFailed: number;
}

export interface TaskManagerView {
  /** `taskmanager-0/3f2a…`: `Envelope.resourceId`. */
  readonly id: string;
  /** `taskmanager-0` */
  readonly name: string;
  /** Address that peers reach its data ports under. */
  readonly host: string;
  readonly pid: number;
  /** Of its first slot in use; -1 while there is none: every slot listens on a port of its own. */
  readonly dataPort: number;
  readonly registeredAt: number;
  readonly lastHeartbeat: number;
  readonly slots: number;
  readonly freeSlots: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly allocations: readonly {
    readonly jobId: string;
    readonly allocationId: string;
    readonly slotIndex: number;
    /** Subtasks deployed into the slot that have not ended. */
    readonly assignedTasks: number;
  }[];
  /** Of the last heartbeat; `null` before the first one. */
  readonly process: ProcessFigures | null;
}

export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly state: JobStatus;
  /** Its JobManager was lost while it ran: nobody knows how it ended, and `state` is `FAILED`. */
  readonly isLost: boolean;
  /** 0-based; grows with every restart. */
  readonly attempt: number;
  /** Never true before savepoints exist. */
  readonly isStoppable: boolean;
  readonly startTime: number;
  /** -1 while the job runs. */
  readonly endTime: number;
  readonly duration: number;
  readonly lastModification: number;
  readonly now: number;
  readonly maxParallelism: number;
  /** Of the widest vertex. */
  readonly parallelism: number;
  /** When a state was entered; 0: never. Has every state as a key. */
  readonly timestamps: Readonly<Record<JobStatus, number>>;
  readonly graph: JobGraph;
  /** In the JobGraph's order. */
  readonly vertices: readonly VertexView[];
  /** How many subtasks are in each state. Has every state as a key. */
  readonly tasks: Readonly<Record<ExecutionState, number>>;
  /** Why it fails or failed: the root cause of its last attempt. `null`: it does not. */
  readonly failure: FailureInfo | null;
  /** Why its attempts failed, each root cause followed by later failures; oldest first. */
  readonly exceptions: readonly ExceptionView[];
  /** What it waits for before it is deployed: `waits for 3 of 4 slots; 1 free`. `null`: for nothing. */
  readonly waitsFor: string | null;
  /** `Restart deactivated.`, as Flink describes it. */
  readonly restartStrategy: string;
  /** Sums over all subtasks. */
  readonly accumulators: Readonly<Record<string, JsonValue>>;
}

export interface VertexView {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** Flink's aggregate of the subtasks' states. */
  readonly state: ExecutionState;
  /** When the first subtask was deployed; -1 before. */
  readonly startTime: number;
  /** When the last subtask ended; -1 before. */
  readonly endTime: number;
  /** -1 before it started. */
  readonly duration: number;
  readonly tasks: Readonly<Record<ExecutionState, number>>;
  /** Sums; `watermark` is the lowest, `null` when a subtask has none yet. */
  readonly metrics: TaskMetrics;
  /** Whether the values of every subtask are known: as in Flink, from its first report on. */
  readonly metricsComplete: boolean;
  readonly accumulators: Readonly<Record<string, JsonValue>>;
  readonly subtasks: readonly SubtaskView[];
}

export interface SubtaskView {
  readonly index: number;
  readonly attempt: number;
  readonly attemptId: string;
  readonly state: ExecutionState;
  /** `host:dataPort` as Flink's `endpoint`; `null` before it has a slot. */
  readonly endpoint: string | null;
  readonly host: string | null;
  /** Id of the TaskManager. */
  readonly taskManager: string | null;
  /** -1 before it was deployed. */
  readonly startTime: number;
  readonly endTime: number;
  readonly duration: number;
  readonly timestamps: Readonly<Record<ExecutionState, number>>;
  readonly metrics: TaskMetrics;
  /** For rates; nothing once it has ended. */
  readonly recent: RecentMetrics;
  /** Of user code. */
  readonly userMetrics: readonly UserMetric[];
  readonly metricsComplete: boolean;
  readonly accumulators: Readonly<Record<string, JsonValue>>;
}

export interface ExceptionView {
  readonly timestamp: number;
  readonly failure: FailureInfo;
  /** Id of the TaskManager where it happened. */
  readonly taskManager: string | null;
  readonly host: string | null;
  /** Vertex and subtask, when it was a task. */
  readonly vertexId: string | null;
  readonly subtaskIndex: number | null;
  /** Of the job; `null` where that is not known. */
  readonly attempt: number | null;
}
