/** Vertices and subtasks in the shapes of Flink's REST API. Pure. */
import { createHash } from 'node:crypto';
import type {
  IoMetrics,
  Statistics,
  SubtaskDetails,
  VertexDetails,
  VertexSummary,
} from '../../../contract/rest.ts';
import type { SubtaskView, VertexView } from '../../jobmanager/cluster-view.ts';
import type { ExecutionState, TaskMetrics } from '../../rpc/protocol.ts';
import { taskManagerRestId } from './task-manager.ts';

/** Flink knows this state too; nothing enters it here. */
export const withReconciling = (
  counts: Readonly<Record<ExecutionState, number>>,
): Record<string, number> => ({ ...counts, RECONCILING: 0 });

function ioMetrics(metrics: TaskMetrics, complete: boolean): IoMetrics {
  return {
    'read-bytes': metrics.bytesIn,
    'read-bytes-complete': complete,
    'write-bytes': metrics.bytesOut,
    'write-bytes-complete': complete,
    'read-records': metrics.recordsIn,
    'read-records-complete': complete,
    'write-records': metrics.recordsOut,
    'write-records-complete': complete,
    'accumulated-backpressured-time': Math.round(metrics.backPressuredMs),
    'accumulated-idle-time': Math.round(metrics.idleMs),
    'accumulated-busy-time': Math.round(metrics.busyMs),
  };
}

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
    watermark: vertex.metrics.watermark,
  };
}

/** Flink's clients read 32 hex digits; a group has only a name here. */
const groupId = (jobId: string, name: string) =>
  createHash('sha256').update(`${jobId}/${name}`).digest('hex').slice(0, 32);

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

function subtaskDetails(subtask: SubtaskView, now: number): SubtaskDetails {
  const { taskManager } = subtask;
  return {
    subtask: subtask.index,
    status: subtask.state,
    attempt: subtask.attempt,
    endpoint: subtask.endpoint ?? '(unassigned)',
    'start-time': subtask.startTime,
    'end-time': subtask.endTime,
    duration: subtask.duration,
    metrics: ioMetrics(subtask.metrics, subtask.metricsComplete),
    'taskmanager-id': taskManager === null ? '(unassigned)' : taskManagerRestId(taskManager),
    'status-duration': statusDurations(subtask, now),
    start_time: subtask.startTime,
  };
}

/** The states on the way to the end. */
const passing = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING'] as const;

/** How long the subtask was in each of them; -1: never. */
function statusDurations(
  { timestamps, endTime }: SubtaskView,
  now: number,
): Record<string, number> {
  const entered = passing.filter((state) => timestamps[state] > 0);
  return Object.fromEntries(
    passing.map((state) => {
      if (timestamps[state] <= 0) return [state, -1];
      const next = entered[entered.indexOf(state) + 1];
      const until = next ? timestamps[next] : endTime > 0 ? endTime : now;
      return [state, Math.max(0, until - timestamps[state])];
    }),
  );
}

const numbers = [
  'read-bytes',
  'write-bytes',
  'read-records',
  'write-records',
  'accumulated-backpressured-time',
  'accumulated-idle-time',
  'accumulated-busy-time',
] as const;

function aggregate(
  subtasks: readonly Pick<SubtaskDetails, 'metrics' | 'status-duration'>[],
): VertexDetails['aggregated'] {
  return {
    metrics: Object.fromEntries(
      numbers.map((key) => [key, statistics(subtasks.map((s) => s.metrics[key]))]),
    ),
    'status-duration': Object.fromEntries(
      passing.map((key) => [
        key,
        statistics(subtasks.map((s) => Math.max(0, s['status-duration'][key] ?? 0))),
      ]),
    ),
  };
}

function statistics(values: readonly number[]): Statistics {
  const sorted = values.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    avg: Math.floor(sum / Math.max(1, sorted.length)),
    sum,
    median: percentile(sorted, 0.5),
    p25: percentile(sorted, 0.25),
    p75: percentile(sorted, 0.75),
    p95: percentile(sorted, 0.95),
  };
}

/** As Flink estimates it: at `p × (n + 1)`, between neighbours in proportion. */
function percentile(sorted: readonly number[], p: number): number {
  const position = p * (sorted.length + 1);
  const below = sorted[Math.max(0, Math.floor(position) - 1)] ?? sorted.at(-1) ?? 0;
  const above = sorted[Math.floor(position)] ?? below;
  return Math.floor(position < 1 ? below : below + (position % 1) * (above - below));
}
