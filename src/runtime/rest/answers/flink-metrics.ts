/** Values of metrics under Flink's names, as Flink writes them. Pure. */
import type { FixedMetric, FlinkMetric, MetricRow } from '../../../contract/metrics/metric.ts';

/** Values by id, as Flink writes them. */
export type Metrics = Readonly<Record<string, string>>;

export interface MetricValues {
  /** By the rows' names; `null`: not known yet. */
  readonly values: Readonly<Record<string, number | null>>;
  /** How much each grew a second lately; absent where there are no rates. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Of a task that begins with a source: the source's, as part of a metric's name. */
  readonly source?: string | null;
}

const MAX_LONG = '9223372036854775807';
const MIN_LONG = '-9223372036854775808';

/** Java's `long`. */
const long = (value: number) => BigInt(Math.round(value)).toString();
/** Java's `double`. */
const double = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Before the first one the smallest `long`, after the last one the largest. */
function time(value: number | null): string {
  if (value === null) return MIN_LONG;
  return value >= Number.MAX_SAFE_INTEGER ? MAX_LONG : long(value);
}

/** All names that Flink has for the values of `rows`, in their order. */
export function flinkMetrics(rows: readonly MetricRow[], of: MetricValues): Metrics {
  const source = of.source ?? null;
  return Object.fromEntries(
    rows.flatMap((row) =>
      row.flink
        .filter(({ as }) => as === 'time' || of.values[row.name] !== null)
        .filter(({ at }) => at === undefined || (at === 'source') === (source !== null))
        .map((metric) => {
          const name = metric.at === 'source' ? `${source}.${metric.name}` : metric.name;
          return [name, textOf(metric, row, of)];
        }),
    ),
  );
}

export const fixedMetrics = (all: readonly FixedMetric[]): Metrics =>
  Object.fromEntries(all.map(({ name, value }) => [name, value]));

function textOf({ as, factor = 1, of = 'value' }: FlinkMetric, row: MetricRow, all: MetricValues) {
  if (as === 'time') return time(all.values[row.name] ?? null);
  const value = of === 'value' ? (all.values[row.name] ?? 0) * factor : rateOf(row, all);
  if (as === 'boolean') return String(value > 0);
  return as === 'long' ? long(value) : double(value);
}

/** Of times at most all of it: reports may be late. */
function rateOf({ name, unit }: MetricRow, { rates }: MetricValues): number {
  const rate = rates?.[name] ?? 0;
  return unit === 'ms' ? Math.min(1000, rate) : rate;
}
