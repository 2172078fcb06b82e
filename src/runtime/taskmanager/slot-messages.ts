/** What a slot's worker thread and the TaskManager's main thread say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { Split } from '../../api/source.ts';
import type { FailureInfo } from '../../contract/outcome.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { NetworkConfig } from '../../contract/runtime-config.ts';
import type { UserMetric } from '../../contract/metrics/user-metrics.ts';
import type { TaskMetrics } from '../../contract/metrics/task-metrics.ts';
import type { SlotDeployment, SplitRequest, TaskChange } from '../rpc/protocol.ts';

/** `workerData` of a slot. */
export interface SlotWorkerData {
  readonly start: SlotStart;
  /** Kept and never used: it closes when the slot's code has ended. */
  readonly life: MessagePort;
}

export interface SlotStart {
  readonly allocationId: string;
  readonly jobId: string;
  readonly jobAttempt: number;
  /** Of the JobManager that runs the job. */
  readonly epoch: number;
  readonly clusterId: string;
  /** `null`: the cluster needs none. */
  readonly token: string | null;
  /** `Envelope.resourceId` of the process. */
  readonly taskManager: string;
  /** For messages of peers: `slot 1 of taskmanager-0`. */
  readonly name: string;
  readonly bind: string;
  readonly network: NetworkConfig;
  readonly workingDirectory: string;
  readonly reportIntervalMs: number;
}

export type ToSlot =
  | {
      readonly type: 'deploy';
      readonly deployment: SlotDeployment;
      readonly bundleFile: string;
      /** Paths of cached files on this machine, by name. */
      readonly cachedFiles: Readonly<Record<string, string>>;
    }
  /** The bundle or a cached file cannot be had: none of the tasks can start. */
  | { readonly type: 'undeployable'; readonly deployment: SlotDeployment; readonly message: string }
  | { readonly type: 'cancel' }
  | { readonly type: 'split'; readonly request: number; readonly split: Split | null }
  | { readonly type: 'split-failed'; readonly request: number; readonly message: string }
  /** Another slot of this process has connected. */
  | { readonly type: 'connected'; readonly port: MessagePort; readonly peer: string }
  /** Memory is short: collect garbage, then answer. */
  | { readonly type: 'collect-garbage' };

export type FromSlot =
  | { readonly type: 'listening'; readonly dataPort: number }
  | { readonly type: 'changed'; readonly change: TaskChange }
  | { readonly type: 'request-split'; readonly request: number; readonly split: SplitRequest }
  | { readonly type: 'connect'; readonly allocationId: string; readonly port: MessagePort }
  | {
      readonly type: 'report';
      readonly tasks: Readonly<Record<string, TaskMetrics>>;
      readonly accumulators: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
      readonly userMetrics: Readonly<Record<string, readonly UserMetric[]>>;
    }
  | { readonly type: 'garbage-collected' }
  | { readonly type: 'warn'; readonly message: string }
  /** User code has thrown where no task could catch it: the slot ends. */
  | { readonly type: 'crashed'; readonly failure: FailureInfo };
