/**
 * One metric over many jobs, TaskManagers or subtasks: smallest, largest, mean, sum, and how uneven they
 * are. Pure.
 */
import type { Metrics } from './flink-metrics.ts';

/** In the order in which Flink gives them. */
const aggregations = ['min', 'max', 'avg', 'sum', 'skew'] as const;
export type Aggregation = (typeof aggregations)[number];

export const isAggregation = (text: string): text is Aggregation =>
  (aggregations as readonly string[]).includes(text);

type AggregatedMetric = { readonly id: string } & Readonly<Partial<Record<Aggregation, number>>>;

/**
 * @param all of each of them.
 * @param get names that are asked for; `null`: only the names there are.
 * @param asked `null`: every aggregation.
 */
export function aggregatedMetrics(
  all: readonly Metrics[],
  get: readonly string[] | null,
  asked: ReadonlySet<Aggregation> | null,
): AggregatedMetric[] {
  const ids = new Set(all.flatMap((metrics) => Object.keys(metrics)));
  if (get === null) return [...ids].map((id) => ({ id }));
  return [...new Set(get)].flatMap((id) => {
    const values = all.map((metrics) => metrics[id]).filter((value) => value !== undefined);
    const figures = values.map(Number).filter((value) => Number.isFinite(value));
    return figures.length === 0 ? [] : [aggregate(id, figures, asked)];
  });
}

function aggregate(
  id: string,
  values: readonly number[],
  asked: ReadonlySet<Aggregation> | null,
): AggregatedMetric {
  const sum = values.reduce((total, value) => total + value, 0);
  const avg = sum / values.length;
  const all = {
    min: Math.min(...values),
    max: Math.max(...values),
    avg,
    sum,
    skew: skewOf(values, avg),
  };
  const wanted = aggregations.filter((aggregation) => asked?.has(aggregation) ?? true);
  return {
    id,
    ...Object.fromEntries(wanted.map((aggregation) => [aggregation, all[aggregation]])),
  };
}

/** Flink's: how far from the mean they are on average, in percent of it; at most 100. */
function skewOf(values: readonly number[], avg: number): number {
  if (avg === 0) return 0;
  const deviation = values.reduce((total, value) => total + Math.abs(value - avg), 0);
  return Math.min(100, Math.abs((deviation / values.length / avg) * 100));
}
