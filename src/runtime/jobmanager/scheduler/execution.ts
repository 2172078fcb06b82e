/**
 * One attempt of one subtask, as the JobManager sees it.
 *
 * X1  States change along `executionTransitions` only.
 * X2  Once it is to be cancelled it ends `CANCELED`, whatever the TaskManager reports as its end: a late
 *     `FINISHED` must not count as finished, a late `FAILED` must not hide the root cause (Flink's rule).
 */
import type { Committable } from '../../../api/sink.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { UserMetric } from '../../../contract/metrics/user-metrics.ts';
import { noTaskMetrics, type TaskMetrics } from '../../../contract/metrics/task-metrics.ts';
import type { JobVertex } from '../../../graph/job-graph.ts';
import { ExecutionState, type SlotLocation } from '../../rpc/protocol.ts';
import { MetricsWindow, nothingRecent, type RecentMetrics } from '../../metrics/recent-metrics.ts';
import { createStateMachine, type StateMachine } from './state-machine.ts';

const E = ExecutionState;

/** Legal transitions, as Flink's Execution makes them. */
export const executionTransitions: Readonly<Record<ExecutionState, readonly ExecutionState[]>> = {
  [E.created]: [E.scheduled, E.canceled],
  [E.scheduled]: [E.deploying, E.canceled, E.failed],
  [E.deploying]: [E.initializing, E.running, E.finished, E.canceling, E.canceled, E.failed],
  [E.initializing]: [E.running, E.finished, E.canceling, E.failed],
  [E.running]: [E.finished, E.canceling, E.failed],
  [E.canceling]: [E.canceled],
  [E.finished]: [],
  [E.canceled]: [],
  [E.failed]: [],
};

export const allExecutionStates: readonly ExecutionState[] = Object.values(ExecutionState);

export const isTerminalExecutionState = (state: ExecutionState): boolean =>
  state === E.finished || state === E.canceled || state === E.failed;

/** What became of a reported state. */
export type ReportResult = 'changed' | 'duplicate' | 'illegal';

export interface ExecutionOptions {
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  /** Of the subtask, which is that of the job while all subtasks restart together. */
  readonly attempt: number;
  readonly attemptId: string;
  readonly now: () => number;
}

export class Execution {
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly attempt: number;
  readonly attemptId: string;
  /** Where it was deployed. */
  location: SlotLocation | null = null;
  accumulators: Readonly<Record<string, JsonValue>> = {};
  /** Of user code, of the last report. */
  userMetrics: readonly UserMetric[] = [];
  /** What its sinks prepared, by operator id. */
  committables: Readonly<Record<string, readonly Committable[]>> = {};
  readonly #machine: StateMachine<ExecutionState>;
  readonly #now: () => number;
  #metrics: TaskMetrics | null = null;
  #window: MetricsWindow | null = null;

  constructor(options: ExecutionOptions) {
    this.vertex = options.vertex;
    this.subtaskIndex = options.subtaskIndex;
    this.attempt = options.attempt;
    this.attemptId = options.attemptId;
    this.#now = options.now;
    this.#machine = createStateMachine('task', executionTransitions, E.created, options.now);
  }

  /** `Window(1d) -> Sink: files (2/2)` */
  get name(): string {
    return `${this.vertex.name} (${this.subtaskIndex + 1}/${this.vertex.parallelism})`;
  }

  /** Of the last report. */
  get metrics(): TaskMetrics {
    return this.#metrics ?? noTaskMetrics;
  }

  /** Whether they are known: it has reported some, or ended and will report none. */
  get metricsComplete(): boolean {
    return this.#metrics !== null || this.ended;
  }

  set metrics(metrics: TaskMetrics) {
    this.#metrics = metrics;
    if (this.ended) {
      this.#window = null;
      return;
    }
    const now = this.#now();
    this.#window ??= new MetricsWindow(this.timestamps.RUNNING || now);
    this.#window.add(metrics, now);
  }

  /** Nothing once it has ended. */
  get recent(): RecentMetrics {
    return this.ended || this.#window === null ? nothingRecent : this.#window.recent;
  }

  get state(): ExecutionState {
    return this.#machine.state;
  }

  get ended(): boolean {
    return isTerminalExecutionState(this.state);
  }

  get timestamps(): Readonly<Record<ExecutionState, number>> {
    return this.#machine.timestamps;
  }

  get lastModification(): number {
    return this.#machine.lastModification;
  }

  /** When it was deployed; -1 before. */
  get startTime(): number {
    return this.timestamps.DEPLOYING || -1;
  }

  /** -1 before. */
  get endTime(): number {
    const { FINISHED, CANCELED, FAILED } = this.timestamps;
    return FINISHED || CANCELED || FAILED || -1;
  }

  /** @throws IllegalTransitionError (X1). */
  enter(state: ExecutionState): void {
    this.#machine.enter(state);
  }

  /** Takes a state that the TaskManager reports. */
  report(state: ExecutionState): ReportResult {
    if (state === this.state) return 'duplicate';
    if (this.state === E.canceling && !isTerminalExecutionState(state)) return 'duplicate'; // crossed our request
    // It may have been given up, or its slot lost, before the TaskManager spoke.
    if (this.state === E.canceled || this.state === E.failed) return 'duplicate';
    const next = this.state === E.canceling ? E.canceled : state; // X2
    const reported = next === E.scheduled || next === E.deploying || next === E.canceling;
    if (reported || !this.#machine.allows(next)) return 'illegal';
    this.#machine.enter(next);
    return 'changed';
  }

  /** Ends it without a report: it was never deployed, or its slot is gone. */
  giveUp(): void {
    if (!this.ended) this.#machine.enter(this.#machine.allows(E.canceled) ? E.canceled : E.failed);
  }
}
