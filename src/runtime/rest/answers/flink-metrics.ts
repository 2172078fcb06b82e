/** Values of metrics under Flink's names, as Flink writes them. Pure. */
import type { FixedMetric, MetricRow } from '../../../contract/metrics/metric.ts';
import { quantileNames, type UserMetric } from '../../../contract/metrics/user-metrics.ts';
import { type MetricValues, type ToldMetric, toldMetrics } from '../../../contract/metrics/told.ts';

/** Values by id, as Flink writes them. */
export type Metrics = Readonly<Record<string, string>>;

const MAX_LONG = '9223372036854775807';
const MIN_LONG = '-9223372036854775808';

/** A name as part of a metric's. */
const identifier = (name: string) => name.replace(/[^A-Za-z0-9_]/g, '_');

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
  const source = identifier(of.source ?? '');
  return Object.fromEntries(
    toldMetrics(rows, of).map((told) => {
      const { at, name } = told.metric;
      return [at === 'source' ? `${source}.${name}` : name, textOf(told)];
    }),
  );
}

/** Of user code: operator, groups and name; a histogram is several. */
export function flinkUserMetrics(metrics: readonly UserMetric[]): Metrics {
  return Object.fromEntries(
    metrics.flatMap(({ groups, kind, name, operatorName, value }) => {
      const within = groups.flatMap((group) => [group.name, group.value ?? []].flat());
      const id = [identifier(operatorName), ...within, name].join('.');
      if (typeof value === 'number') {
        return [[id, kind === 'counter' && Number.isFinite(value) ? long(value) : double(value)]];
      }
      const { count, max, mean, min, quantiles, stddev } = value;
      const figures = { min, max, mean, stddev };
      return [
        [`${id}_count`, long(count)],
        ...Object.entries(figures).map(([figure, at]) => [`${id}_${figure}`, double(at)]),
        ...Object.entries(quantiles).map(([share, at]) => [
          `${id}_${quantileNames[share]}`,
          double(at),
        ]),
      ];
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
