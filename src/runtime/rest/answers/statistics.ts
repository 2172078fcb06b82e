/** Statistics over subtasks, as Flink computes them. Pure. */
import { type TaskMetrics, taskMetricRows } from '../../../contract/metrics/task-metrics.ts';
import type { IoMetrics, Statistics } from '../../../contract/rest.ts';

const ioRows = taskMetricRows.flatMap(({ ioField, name, unit }) =>
  ioField === undefined ? [] : [{ field: ioField as keyof IoMetrics, name, unit }],
);

/** @param complete whether the values are known; the Web UI shows `loading...` until they are. */
export function ioMetrics(metrics: TaskMetrics, complete: boolean): IoMetrics {
  const fields = ioRows.flatMap(({ field, name, unit }) => [
    [field, metrics[name]],
    ...(unit === 'ms' ? [] : [[`${field}-complete`, complete]]),
  ]);
  return Object.fromEntries(fields);
}

/** The states on the way to the end. */
export const passingStates = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
] as const;

interface Measured {
  readonly metrics: IoMetrics;
  readonly 'status-duration': Readonly<Record<string, number>>;
}

/** Of every figure of some subtasks. */
export function aggregate(subtasks: readonly Measured[]): {
  readonly metrics: Readonly<Record<string, Statistics>>;
  readonly 'status-duration': Readonly<Record<string, Statistics>>;
} {
  return {
    metrics: Object.fromEntries(
      ioRows.map(({ field }) => [field, statistics(subtasks.map((s) => Number(s.metrics[field])))]),
    ),
    'status-duration': Object.fromEntries(
      passingStates.map((key) => [
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
