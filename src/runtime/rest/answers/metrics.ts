/**
 * Metrics of jobs and tasks with Flink's names: a list of ids, or with `?get=a,b` those with their values.
 * Rates are of the last seconds. Pure.
 */
import { fixedJobMetrics, jobMetricRows } from '../../../contract/metrics/job-metrics.ts';
import { taskMetricRows } from '../../../contract/metrics/task-metrics.ts';
import type { Metric } from '../../../contract/rest.ts';
import { type JobVertex, sourceOf } from '../../../graph/job-graph.ts';
import type { JobView, SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';
import { jobFigures } from '../../jobmanager/views/job-figures.ts';
import { ratesOf } from '../../metrics/recent-metrics.ts';
import { fixedMetrics, flinkMetrics, flinkUserMetrics, type Metrics } from './flink-metrics.ts';

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

/** @param graph the subtask's vertex. */
export function subtaskMetrics(
  { metrics, recent, userMetrics }: SubtaskView,
  graph: JobVertex | undefined,
): Metrics {
  const source = graph === undefined ? null : (sourceOf(graph)?.name ?? null);
  return {
    ...flinkMetrics(taskMetricRows, { values: metrics, rates: ratesOf(recent), source }),
    ...flinkUserMetrics(userMetrics),
  };
}

/** Empty for a source: nothing comes in there. */
export function vertexWatermarks(vertex: VertexView, graph: JobVertex | undefined): Metric[] {
  const name = 'currentInputWatermark';
  return vertex.subtasks.flatMap((subtask) => {
    const value = subtaskMetrics(subtask, graph)[name];
    return value === undefined ? [] : [{ id: `${subtask.index}.${name}`, value }];
  });
}
