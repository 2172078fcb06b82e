/**
 * Metrics of jobs and tasks with Flink's names: a list of ids, or with `?get=a,b` those with their values.
 * Rates are of the last seconds. Pure.
 */
import {
  fixedJobMetrics,
  type JobFigures,
  jobMetricRows,
} from '../../../contract/metrics/job-metrics.ts';
import { taskCounterNames, taskMetricRows } from '../../../contract/metrics/task-metrics.ts';
import type { Metric } from '../../../contract/rest.ts';
import type { JobVertex } from '../../../graph/job-graph.ts';
import type { JobView, SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';
import { fixedMetrics, flinkMetrics, type Metrics } from './flink-metrics.ts';

/** In the order of the metrics, as Flink does; names that are not known are left out. */
export function metricAnswer(metrics: Metrics, get: string | null): Metric[] {
  if (get === null) return Object.keys(metrics).map((id) => ({ id }));
  const asked = new Set(get.split(','));
  return Object.entries(metrics)
    .filter(([id]) => asked.has(id))
    .map(([id, value]) => ({ id, value }));
}

export const jobMetrics = (job: JobView): Metrics => ({
  ...flinkMetrics(jobMetricRows, { values: jobFigures(job) }),
  ...fixedMetrics(fixedJobMetrics),
});

function jobFigures(job: JobView): JobFigures {
  const { attempt, endTime, now, state, timestamps } = job;
  const ended = endTime >= 0;
  const since = (status: keyof typeof timestamps) =>
    state === status ? now - timestamps[status] : 0;
  const started = timestamps.RUNNING;
  const running = started > 0 ? (ended ? endTime : now) - started : 0;
  return {
    restarts: attempt,
    uptimeMs: ended ? -1 : state === 'RUNNING' ? running : 0,
    downtimeMs: ended ? -1 : since('RESTARTING'),
    createdMs: since('CREATED'),
    initializingMs: since('INITIALIZING'),
    runningMs: running,
    restartingMs: since('RESTARTING'),
    cancellingMs: since('CANCELLING'),
    failingMs: since('FAILING'),
  };
}

/** Of every subtask, as `INDEX.NAME`. */
export function vertexMetrics(vertex: VertexView, graph: JobVertex | undefined): Metrics {
  return Object.fromEntries(
    vertex.subtasks.flatMap((subtask) =>
      Object.entries(subtaskMetrics(subtask, graph)).map(([name, value]) => [
        `${subtask.index}.${name}`,
        value,
      ]),
    ),
  );
}

/** Its name as part of a metric's; `null` when the vertex reads from other vertices. */
function sourceOperator(vertex: JobVertex | undefined): string | null {
  const head = vertex?.operators[0];
  return head?.kind === 'source' ? head.name.replace(/[^A-Za-z0-9_]/g, '_') : null;
}

/** @param graph the subtask's vertex. */
export function subtaskMetrics(
  { metrics, recent }: SubtaskView,
  graph: JobVertex | undefined,
): Metrics {
  const seconds = Math.max(recent.ms, 1) / 1000;
  const rates = Object.fromEntries(taskCounterNames.map((name) => [name, recent[name] / seconds]));
  return flinkMetrics(taskMetricRows, { values: metrics, rates, source: sourceOperator(graph) });
}

/** Empty for a source: nothing comes in there. */
export function vertexWatermarks(vertex: VertexView, graph: JobVertex | undefined): Metric[] {
  const name = 'currentInputWatermark';
  return vertex.subtasks.flatMap((subtask) => {
    const value = subtaskMetrics(subtask, graph)[name];
    return value === undefined ? [] : [{ id: `${subtask.index}.${name}`, value }];
  });
}
