/** Snapshots of a job: for REST, and for its outcome. Pure. */
import type { FailureInfo, JobOutcome } from '../../../contract/outcome.ts';
import type { JsonObject, JsonValue } from '../../../contract/json.ts';
import { mergeTaskMetrics, taskMetricsOf } from '../../../contract/metrics/task-metrics.ts';
import type { JobGraph, JobVertex } from '../../../graph/job-graph.ts';
import { ExecutionState } from '../../rpc/protocol.ts';
import type { ExceptionView, JobView, SubtaskView, VertexView } from './cluster-view.ts';
import { allExecutionStates, type Execution } from '../scheduler/execution.ts';
import { isTerminalJobStatus, type JobStatus } from '../scheduler/job-status.ts';
import type { StateMachine } from '../scheduler/state-machine.ts';

const E = ExecutionState;

export interface JobViewInput {
  readonly id: string;
  readonly graph: JobGraph;
  readonly attempt: number;
  readonly startTime: number;
  readonly machine: StateMachine<JobStatus>;
  readonly executions: readonly Execution[];
  readonly failure: FailureInfo | null;
  readonly exceptions: readonly ExceptionView[];
  readonly waitsFor: string | null;
  readonly restartStrategy: string;
  readonly now: number;
}

type Accumulators = Readonly<Record<string, JsonValue>>;
type StateCounts = Readonly<Record<ExecutionState, number>>;

export function createJobView(input: JobViewInput): JobView {
  const { executions, graph, machine, now, startTime } = input;
  const ended = isTerminalJobStatus(machine.state);
  const endTime = ended ? machine.timestamps[machine.state] : -1;
  const vertices = graph.vertices.map((vertex) => viewVertex(vertex, executions, now));
  return {
    id: input.id,
    name: graph.name,
    state: machine.state,
    isLost: false,
    attempt: input.attempt,
    isStoppable: false,
    startTime,
    endTime,
    duration: (ended ? endTime : now) - startTime,
    lastModification: Math.max(
      machine.lastModification,
      ...executions.map((e) => e.lastModification),
    ),
    now,
    maxParallelism: Math.max(...graph.vertices.map((v) => v.maxParallelism)),
    parallelism: Math.max(...graph.vertices.map((v) => v.parallelism)),
    timestamps: { ...machine.timestamps },
    graph,
    vertices,
    tasks: countStates(executions),
    failure: input.failure,
    exceptions: [...input.exceptions],
    waitsFor: input.waitsFor,
    restartStrategy: input.restartStrategy,
    accumulators: sumAccumulators(executions.map((e) => e.accumulators)),
  };
}

function viewVertex(vertex: JobVertex, all: readonly Execution[], now: number): VertexView {
  const executions = all.filter((e) => e.vertex.id === vertex.id);
  const tasks = countStates(executions);
  const started = executions.map((e) => e.startTime).filter((time) => time >= 0);
  const startTime = started.length > 0 ? Math.min(...started) : -1;
  const ended = executions.every((e) => e.ended);
  const endTime = ended ? Math.max(...executions.map((e) => e.endTime)) : -1;
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    slotSharingGroup: vertex.slotSharingGroup,
    state: aggregateState(tasks, vertex.parallelism),
    startTime,
    endTime: startTime < 0 ? -1 : endTime,
    duration: durationOf(startTime, endTime, now),
    tasks,
    metrics: mergeTaskMetrics(executions.map((e) => e.metrics)),
    metricsComplete: executions.every((e) => e.metricsComplete),
    accumulators: sumAccumulators(executions.map((e) => e.accumulators)),
    subtasks: executions.map((execution) => viewSubtask(execution, now)),
  };
}

function viewSubtask(execution: Execution, now: number): SubtaskView {
  const { location, startTime } = execution;
  const endTime = startTime < 0 ? -1 : execution.endTime;
  return {
    index: execution.subtaskIndex,
    attempt: execution.attempt,
    attemptId: execution.attemptId,
    state: execution.state,
    endpoint: location ? `${location.host}:${location.dataPort}` : null,
    host: location?.host ?? null,
    taskManager: location?.taskManager ?? null,
    startTime,
    endTime,
    duration: durationOf(startTime, endTime, now),
    timestamps: { ...execution.timestamps },
    metrics: execution.metrics,
    recent: execution.recent,
    userMetrics: execution.userMetrics,
    metricsComplete: execution.metricsComplete,
    accumulators: execution.accumulators,
  };
}

const durationOf = (start: number, end: number, now: number) =>
  start < 0 ? -1 : (end < 0 ? now : end) - start;

/** Has every state as a key. */
export function countStates(
  executions: readonly { readonly state: ExecutionState }[],
): StateCounts {
  const counts = Object.fromEntries(allExecutionStates.map((state) => [state, 0])) as Record<
    ExecutionState,
    number
  >;
  for (const { state } of executions) counts[state]++;
  return counts;
}

/** Flink's rule: the worst that any subtask is in; finished only when all are. */
export function aggregateState(tasks: StateCounts, parallelism: number): ExecutionState {
  for (const state of [E.failed, E.canceling, E.canceled, E.initializing, E.running]) {
    if (tasks[state] > 0) return state;
  }
  if (tasks.FINISHED > 0) return tasks.FINISHED === parallelism ? E.finished : E.running;
  return E.created;
}

function sumAccumulators(all: readonly Accumulators[]): Accumulators {
  const sums = new Map<string, JsonValue>();
  for (const accumulators of all) {
    for (const [name, value] of Object.entries(accumulators)) {
      const before = sums.get(name);
      sums.set(
        name,
        typeof before === 'number' && typeof value === 'number' ? before + value : value,
      );
    }
  }
  return Object.fromEntries(sums);
}

/** How the job ended. */
export function toOutcome(view: JobView): JobOutcome {
  return {
    id: view.id,
    name: view.name,
    state: view.state,
    startTime: view.startTime,
    endTime: view.endTime,
    error: view.failure,
    accumulators: view.accumulators as JsonObject,
    vertices: view.vertices.map(({ id, metrics, name, parallelism, state }) => ({
      id,
      name,
      parallelism,
      state,
      ...taskMetricsOf(metrics),
    })),
  };
}
