/**
 * What JobManager and TaskManagers say to each other, over one WebSocket that the TaskManager dials.
 *
 * P1  Every message carries an `Envelope`. A receiver refuses a message of another cluster or leader
 *     epoch, in both directions; messages about tasks carry the job attempt and are refused when stale.
 * P2  A closed connection is a failure at once, a silent one after the heartbeat timeout.
 * P3  Every call is idempotent, so that it can be repeated after a reconnect.
 */
import type { Split } from '../../api/source.ts';
import type { Committable } from '../../api/sink.ts';
import type { FailureInfo } from '../../contract/outcome.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { NetworkConfig } from '../../contract/runtime-config.ts';
import type { JobGraph } from '../../graph/job-graph.ts';
import type { ProcessFigures } from '../../contract/metrics/process-metrics.ts';
import type { UserMetric } from '../../contract/metrics/user-metrics.ts';
import type { TaskMetrics } from '../../contract/metrics/task-metrics.ts';
import type { ExecutionState, SlotLocation, TaskDeployment } from '../stream/task/deployment.ts';

export { ExecutionState } from '../stream/task/deployment.ts';
export type {
  ChannelDeployment,
  EdgeDeployment,
  SlotLocation,
  TaskDeployment,
} from '../stream/task/deployment.ts';

export interface Envelope {
  readonly clusterId: string;
  /** Who sends: `taskmanager-0/3f2a…` (name and a random part per process start). */
  readonly resourceId: string;
  /** Fencing token: the leader's epoch. 0 before registration. */
  readonly epoch: number;
}

/** Called by TaskManagers. */
export interface JobManagerApi {
  register(registration: TaskManagerRegistration): Promise<RegistrationResponse>;
  heartbeat(report: TaskManagerReport): Promise<void>;
  taskChanged(change: TaskChange): Promise<void>;
  /** The next split for a source; `null`: no more. Waits while there is none yet. */
  requestSplit(request: SplitRequest): Promise<Split | null>;
  /** A slot's isolate ended by itself or was ended: out of memory, crash. All its tasks are gone. */
  slotLost(loss: SlotLoss): Promise<void>;
}

/** Called by the JobManager. */
export interface TaskManagerApi {
  heartbeat(): Promise<void>;
  /** Makes the slot's isolate. Resolves once its data port listens. */
  allocateSlot(request: SlotAllocation): Promise<SlotLocation>;
  /** Starts the tasks of one slot. Each then reports `INITIALIZING`, `RUNNING` and how it ended. */
  deployTasks(deployment: SlotDeployment): Promise<void>;
  /** Asks all tasks of a slot to cancel; each reports `CANCELED`. */
  cancelTasks(target: SlotTarget): Promise<void>;
  /** Ends the slot's isolate, whatever it does. */
  freeSlot(target: SlotTarget): Promise<void>;
  listLogs(): Promise<readonly LogFileInfo[]>;
  /** `null`: there is no such file. */
  readLog(range: LogRange): Promise<Uint8Array | null>;
  /** What its threads are about. */
  threadDump(): Promise<readonly ThreadInfo[]>;
  /** The cluster has ended: the TaskManager closes everything and exits 0. */
  dismiss(): Promise<void>;
}

export interface TaskManagerRegistration {
  readonly protocol: number;
  readonly address: string;
  readonly slots: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly pid: number;
}

export interface RegistrationResponse {
  readonly epoch: number;
  readonly jobManagerResourceId: string;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** Slots that the JobManager knows of no more; the TaskManager frees them. */
  readonly freeAllocations: readonly string[];
}

export interface SlotTarget {
  readonly allocationId: string;
  readonly jobId: string;
}

export interface SlotAllocation extends SlotTarget {
  readonly slotIndex: number;
  /** 0-based; grows with every restart of the job. */
  readonly jobAttempt: number;
  /** Of the JobManager that runs the job. */
  readonly epoch: number;
  readonly jobName: string;
  readonly bundleHash: string;
  /** Of the JobManager's machine; relative paths are relative to it. */
  readonly workingDirectory: string;
}

export interface SlotDeployment extends SlotTarget {
  readonly jobAttempt: number;
  readonly graph: JobGraph;
  readonly tasks: readonly TaskDeployment[];
  /** Values that must not be in any log. */
  readonly secrets: readonly string[];
  readonly network: NetworkConfig;
  readonly cancellationTimeoutMs: number;
}

export interface TaskChange {
  readonly jobId: string;
  readonly jobAttempt: number;
  readonly attemptId: string;
  readonly state: ExecutionState;
  readonly error: FailureInfo | null;
  /** Final values; with `FINISHED`, `CANCELED` and `FAILED`. */
  readonly metrics: TaskMetrics | null;
  /** With `FINISHED`: what sinks prepared, by operator id. */
  readonly committables: Readonly<Record<string, readonly Committable[]>> | null;
  readonly accumulators: Readonly<Record<string, JsonValue>> | null;
  /** Final values of user code, with `metrics`; absent: it has none. */
  readonly userMetrics?: readonly UserMetric[];
}

export interface SplitRequest {
  readonly jobId: string;
  readonly jobAttempt: number;
  readonly attemptId: string;
  readonly operatorId: string;
  readonly subtaskIndex: number;
}

export interface SlotLoss extends SlotTarget {
  readonly jobAttempt: number;
  readonly error: FailureInfo;
}

/** Sent with every heartbeat. */
export interface TaskManagerReport {
  readonly tasks: Readonly<Record<string, TaskMetrics>>;
  readonly accumulators: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  /** Of user code, by attempt id, where there are any. */
  readonly userMetrics?: Readonly<Record<string, readonly UserMetric[]>>;
  readonly process: ProcessFigures;
}

/** A log file, or one with what user code printed. */
export interface LogFileInfo {
  readonly name: string;
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

export interface LogRange {
  readonly name: string;
  readonly offset: number;
  /** The receiver may give less. */
  readonly length: number;
}

export interface ThreadInfo {
  readonly name: string;
  /** Several lines, for people. */
  readonly text: string;
}
