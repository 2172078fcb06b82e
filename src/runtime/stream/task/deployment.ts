/** What a task is told when it is deployed, and what it tells of itself. Plain data: it travels. */

/** One subtask: a vertex's chain at one index. */
export interface TaskDeployment {
  /** Id of this execution attempt, 32 hex digits followed by `_attempt`, as Flink's. */
  readonly attemptId: string;
  readonly vertexId: string;
  readonly subtaskIndex: number;
  readonly attempt: number;
  /** One per incoming edge, in the order of the JobGraph's edges. */
  readonly inputs: readonly EdgeDeployment[];
  /** One per outgoing edge. */
  readonly outputs: readonly EdgeDeployment[];
}

export interface EdgeDeployment {
  readonly edgeId: string;
  /** The peers this subtask is connected with, ascending by subtask index. */
  readonly channels: readonly ChannelDeployment[];
}

/** A channel is named by (job id, job attempt, edge, source subtask, target subtask) on both ends. */
export interface ChannelDeployment {
  readonly sourceSubtask: number;
  readonly targetSubtask: number;
  /** Where the other end is. The source end dials. */
  readonly peer: SlotLocation;
}

export interface SlotLocation {
  readonly allocationId: string;
  /** Name and a random part per process start, `taskmanager-0/3f2a…`. Equal: same process. */
  readonly taskManager: string;
  readonly host: string;
  readonly dataPort: number;
}

/** Flink's execution states. */
export const ExecutionState = {
  created: 'CREATED',
  scheduled: 'SCHEDULED',
  deploying: 'DEPLOYING',
  initializing: 'INITIALIZING',
  running: 'RUNNING',
  finished: 'FINISHED',
  canceling: 'CANCELING',
  canceled: 'CANCELED',
  failed: 'FAILED',
} as const;
export type ExecutionState = (typeof ExecutionState)[keyof typeof ExecutionState];
