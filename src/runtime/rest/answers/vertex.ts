/** Vertices in the shapes of Flink's REST API. Pure. */
import { createHash } from 'node:crypto';
import {
  mergeTaskMetrics,
  type TaskMetrics,
  taskMetricRows,
} from '../../../contract/metrics/task-metrics.ts';
import type { OwnVertexFields, VertexDetails, VertexSummary } from '../../../contract/rest.ts';
import type { JobView, SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';
import { isTerminalExecutionState } from '../../jobmanager/scheduler/execution.ts';
import { isTerminalJobStatus } from '../../jobmanager/scheduler/job-status.ts';
import { aggregateState, countStates } from '../../jobmanager/views/job-view.ts';
import type { ExecutionState } from '../../rpc/protocol.ts';
import { aggregate, ioMetrics } from './statistics.ts';
import { endpointOf, subtaskDetails, taskManagerOf } from './subtask.ts';

/** Flink knows this state too; nothing enters it here. */
export const withReconciling = (
  counts: Readonly<Record<ExecutionState, number>>,
): Record<string, number> => ({ ...counts, RECONCILING: 0 });

/** As `GET /jobs/:jobid` lists it. */
export function vertexSummary(vertex: VertexView, jobId: string): VertexSummary {
  return {
    id: vertex.id,
    slotSharingGroupId: groupId(jobId, vertex.slotSharingGroup),
    name: vertex.name,
    maxParallelism: vertex.maxParallelism,
    parallelism: vertex.parallelism,
    status: vertex.state,
    'start-time': vertex.startTime,
    'end-time': vertex.endTime,
    duration: vertex.duration,
    tasks: withReconciling(vertex.tasks),
    metrics: ioMetrics(vertex.metrics, vertex.metricsComplete),
    ...ownFields(vertex.metrics),
  };
}

const ownFields = (metrics: TaskMetrics): OwnVertexFields =>
  Object.fromEntries(
    taskMetricRows.flatMap(({ name, vertexField }) =>
      vertexField === undefined ? [] : [[vertexField, metrics[name]]],
    ),
  );

/** Flink's clients read 32 hex digits; a group has only a name here. */
const groupId = (jobId: string, name: string) =>
  createHash('sha256').update(`${jobId}/${name}`).digest('hex').slice(0, 32);

/** With all its subtasks. `now`: epoch milliseconds. */
export function vertexDetails(vertex: VertexView, now: number): VertexDetails {
  const subtasks = vertex.subtasks.map((subtask) => subtaskDetails(subtask, now));
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now,
    subtasks,
    aggregated: aggregate(subtasks),
  };
}

/** Its subtasks, summed up by the TaskManager that they run on. */
export function vertexTaskManagers({ id, name, subtasks }: VertexView, now: number) {
  const groups = Map.groupBy(subtasks, (subtask) => taskManagerOf(subtask));
  return {
    id,
    name,
    now,
    taskmanagers: [...groups].map(([taskManager, members]) =>
      taskManagerSummary(taskManager, members, now),
    ),
  };
}

function taskManagerSummary(taskManager: string, subtasks: readonly SubtaskView[], now: number) {
  const counts = countStates(subtasks);
  const started = subtasks.map((s) => s.startTime).filter((time) => time >= 0);
  const startTime = started.length === 0 ? -1 : Math.min(...started);
  const ended = subtasks.every(({ state }) => isTerminalExecutionState(state));
  const endTime = ended ? Math.max(...subtasks.map((s) => s.endTime)) : -1;
  return {
    endpoint: endpointOf(subtasks[0]!),
    status: aggregateState(counts, subtasks.length),
    'start-time': startTime,
    'end-time': endTime,
    duration: startTime < 0 ? -1 : (endTime < 0 ? now : endTime) - startTime,
    metrics: ioMetrics(
      mergeTaskMetrics(subtasks.map((s) => s.metrics)),
      subtasks.every((s) => s.metricsComplete),
    ),
    'status-counts': withReconciling(counts),
    'taskmanager-id': taskManager,
    aggregated: aggregate(subtasks.map((subtask) => subtaskDetails(subtask, now))),
  };
}

/** Flink's bounds: up to a tenth of the time, up to half of it, more. */
const levelOf = (ratio: number) => (ratio <= 0.1 ? 'ok' : ratio <= 0.5 ? 'low' : 'high');

/** How much of its time each subtask waits for those after it. Flink tells nothing about a job that has ended. */
export function backPressure(job: JobView, { subtasks }: VertexView) {
  if (isTerminalJobStatus(job.state)) return { status: 'deprecated' };
  const ratios = subtasks.map(({ index, recent }) => {
    const share = (ms: number) => Math.round(Math.min(1, ms / Math.max(1, recent.ms)) * 100) / 100;
    const ratio = share(recent.backPressuredMs);
    return {
      subtask: index,
      backpressureLevel: levelOf(ratio),
      ratio,
      idleRatio: share(recent.idleMs),
      busyRatio: share(recent.busyMs),
      'backpressure-level': levelOf(ratio),
    };
  });
  const worst = levelOf(Math.max(0, ...ratios.map(({ ratio }) => ratio)));
  return {
    status: 'ok',
    backpressureLevel: worst,
    'end-timestamp': job.now,
    subtasks: ratios,
    'backpressure-level': worst,
  };
}
