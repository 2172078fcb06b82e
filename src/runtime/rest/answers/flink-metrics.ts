/** Values of metrics under Flink's names, as Flink writes them. Pure. */
import type { FixedMetric, MetricRow } from '../../../contract/metrics/metric.ts';
import { type MetricValues, type ToldMetric, toldMetrics } from '../../../contract/metrics/told.ts';

/** Values by id, as Flink writes them. */
export type Metrics = Readonly<Record<string, string>>;

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
  const source = of.source?.replace(/[^A-Za-z0-9_]/g, '_');
  return Object.fromEntries(
    toldMetrics(rows, of).map((told) => {
      const { at, name } = told.metric;
      return [at === 'source' ? `${source}.${name}` : name, textOf(told)];
    }),
  );
}

export const fixedMetrics = (all: readonly FixedMetric[]): Metrics =>
  Object.fromEntries(all.map(({ name, value }) => [name, value]));

function textOf({ metric: { as }, value }: ToldMetric): string {
  if (as === 'time') return time(value);
  if (as === 'boolean') return String(value === 1);
  return as === 'long' ? long(value ?? 0) : double(value ?? 0);
}
