import {
  type ProcessFigures,
  processMetricRows,
} from '../../../src/contract/metrics/process-metrics.ts';

/** Of a process that uses nothing. */
export const noFigures = Object.fromEntries(
  processMetricRows.map(({ name }) => [name, 0]),
) as ProcessFigures;
