/** What a process uses, with the names that Flink has for a JVM. Pure. */
import {
  fixedProcessMetrics,
  fixedTaskManagerMetrics,
  type JobManagerFigures,
  jobManagerMetricRows,
  type ProcessFigures,
  processMetricRows,
} from '../../../contract/metrics/process-metrics.ts';
import type { ClusterView, TaskManagerView } from '../../jobmanager/views/cluster-view.ts';
import { fixedMetrics, flinkMetrics, type Metrics } from './flink-metrics.ts';

const processMetrics = (figures: ProcessFigures): Metrics => ({
  ...flinkMetrics(processMetricRows, { values: figures }),
  ...fixedMetrics(fixedProcessMetrics),
});

/** Its heap may grow to the memory that it was given: V8's own limit is far above. */
export function taskManagerMetrics({ memoryBytes, process }: TaskManagerView): Metrics {
  if (process === null) return {};
  return {
    ...processMetrics({ ...process, heapLimitBytes: memoryBytes }),
    ...fixedMetrics(fixedTaskManagerMetrics),
  };
}

export function jobManagerMetrics(view: ClusterView): Metrics {
  const values: JobManagerFigures = view.overview();
  return { ...flinkMetrics(jobManagerMetricRows, { values }), ...processMetrics(view.process()) };
}
