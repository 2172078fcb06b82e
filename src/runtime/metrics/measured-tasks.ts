/** A TaskManager and its tasks, with Flink's scopes and variables. Pure, but for the name of the machine. */
import { hostname } from 'node:os';
import { type ProcessFigures, processMetricRows } from '../../contract/metrics/process-metrics.ts';
import { type TaskMetrics, taskMetricRows } from '../../contract/metrics/task-metrics.ts';
import type { UserMetric } from '../../contract/metrics/user-metrics.ts';
import { sourceOf } from '../../graph/job-graph.ts';
import type { SlotDeployment } from '../rpc/protocol.ts';
import { type MetricsWindow, ratesOf } from './recent-metrics.ts';
import type { Measured } from './samples.ts';

export interface SlotTasks {
  readonly deployment: SlotDeployment;
  readonly jobName: string;
  /** By attempt id. */
  readonly metrics: Readonly<Record<string, TaskMetrics>>;
  readonly userMetrics: Readonly<Record<string, readonly UserMetric[]>>;
  readonly windows: ReadonlyMap<string, MetricsWindow>;
}

/** Those that have reported. */
export function measuredTasks({
  deployment,
  jobName,
  metrics,
  userMetrics,
  windows,
}: SlotTasks): Measured[] {
  return deployment.tasks.flatMap(({ attempt, attemptId, subtaskIndex, vertexId }) => {
    const values = metrics[attemptId];
    const vertex = deployment.graph.vertices.find(({ id }) => id === vertexId);
    if (values === undefined || vertex === undefined) return [];
    const source = sourceOf(vertex);
    const window = windows.get(attemptId);
    return [
      {
        scope: ['taskmanager', 'job', 'task'],
        rows: taskMetricRows,
        values,
        ...(window !== undefined && { rates: ratesOf(window.recent) }),
        source: source?.name ?? null,
        userMetrics: userMetrics[attemptId] ?? [],
        labels: {
          job_id: deployment.jobId,
          job_name: jobName,
          task_id: vertex.id,
          task_name: vertex.name,
          task_attempt_id: attemptId,
          task_attempt_num: String(attempt),
          subtask_index: String(subtaskIndex),
        },
        ...(source !== null && {
          sourceLabels: { operator_id: source.id, operator_name: source.name },
        }),
      },
    ];
  });
}

/** @param resourceId `taskmanager-0/3f2a`; as in REST the slash is a dash. */
export function measuredTaskManager(
  resourceId: string,
  figures: ProcessFigures,
  tasks: readonly Measured[],
): Measured[] {
  const labels = { host: hostname(), tm_id: resourceId.replaceAll('/', '-') };
  return [
    { scope: ['taskmanager'], labels, rows: processMetricRows, values: figures },
    ...tasks.map((task) => ({ ...task, labels: { ...labels, ...task.labels } })),
  ];
}
