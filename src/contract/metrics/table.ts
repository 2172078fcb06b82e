/** All metrics, of whatever they are. */
import { jobMetricRows } from './job-metrics.ts';
import type { FlinkMetric, MetricRow } from './metric.ts';
import { jobManagerMetricRows, processMetricRows } from './process-metrics.ts';
import { taskMetricRows } from './task-metrics.ts';

export const metricRows: readonly MetricRow[] = [
  ...taskMetricRows,
  ...jobMetricRows,
  ...processMetricRows,
  ...jobManagerMetricRows,
];

/** As it is written for people: that of a source operator has the source's name in front. */
export const shownName = ({ at, name }: FlinkMetric): string =>
  at === 'source' ? `SOURCE.${name}` : name;
