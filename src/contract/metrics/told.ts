/** Which of Flink's metrics something has, and their values. Pure. */
import type { FlinkMetric, MetricRow } from './metric.ts';

export interface MetricValues {
  /** By the rows' names; `null`: not known yet. */
  readonly values: Readonly<Record<string, number | null>>;
  /** How much each grew a second lately; absent where there are no rates. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Of a task that begins with a source: the source's name. */
  readonly source?: string | null;
}

export interface ToldMetric {
  readonly metric: FlinkMetric;
  readonly row: MetricRow;
  /** `null`: a time that is not known yet. Of booleans 1 and 0. */
  readonly value: number | null;
}

/** In the order of the rows. */
export function toldMetrics(rows: readonly MetricRow[], of: MetricValues): ToldMetric[] {
  const hasSource = (of.source ?? null) !== null;
  return rows.flatMap((row) =>
    row.flink
      .filter(({ as }) => as === 'time' || of.values[row.name] !== null)
      .filter(({ at }) => at === undefined || (at === 'source') === hasSource)
      .map((metric) => ({ metric, row, value: valueOf(metric, row, of) })),
  );
}

function valueOf({ as, factor = 1, of = 'value' }: FlinkMetric, row: MetricRow, all: MetricValues) {
  if (as === 'time') return all.values[row.name] ?? null;
  const value = of === 'value' ? (all.values[row.name] ?? 0) * factor : rateOf(row, all);
  return as === 'boolean' ? Number(value > 0) : value;
}

/** Of times at most all of it: reports may be late. */
function rateOf({ name, unit }: MetricRow, { rates }: MetricValues): number {
  const rate = rates?.[name] ?? 0;
  return unit === 'ms' ? Math.min(1000, rate) : rate;
}
