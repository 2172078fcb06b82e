/** Metrics as reporters send them: a number each, with Flink's scopes, names and variables. Pure. */
import type { MetricRow } from '../../contract/metrics/metric.ts';
import type { UserMetric } from '../../contract/metrics/user-metrics.ts';
import { type MetricValues, toldMetrics } from '../../contract/metrics/told.ts';

type Labels = Readonly<Record<string, string>>;

/** Something that has metrics. */
export interface Measured extends MetricValues {
  /** What it is, outermost first: `['taskmanager', 'job', 'task']`. */
  readonly scope: readonly string[];
  /** Flink's variables of its scope: `job_name`, `task_id`. */
  readonly labels: Labels;
  readonly rows: readonly MetricRow[];
  /** Besides, of what is the source operator's. */
  readonly sourceLabels?: Labels;
  /** Of user code. */
  readonly userMetrics?: readonly UserMetric[];
}

export interface Sample {
  /** Scope and name, outermost first: `['jobmanager', 'job', 'numRestarts']`. */
  readonly path: readonly string[];
  readonly labels: Labels;
  readonly value: number;
  readonly help: string;
}

/** What Java's `long` has after the last watermark. */
const longest = 2 ** 63;

/** Everything that is known; what is not has no sample. */
export function samplesOf(measured: readonly Measured[]): Sample[] {
  return measured.flatMap((one) => [
    ...toldMetrics(one.rows, one).flatMap(({ metric, row, value }) => {
      if (value === null) return [];
      const isSource = metric.at === 'source';
      const scope = isSource ? [...one.scope, 'operator'] : one.scope;
      const labels = isSource ? { ...one.labels, ...one.sourceLabels } : one.labels;
      const isEnd = metric.as === 'time' && value >= Number.MAX_SAFE_INTEGER;
      const told = isEnd ? longest : value;
      return [{ path: [...scope, ...metric.name.split('.')], labels, value: told, help: row.help }];
    }),
    ...(one.userMetrics ?? []).flatMap((metric) => userSamples(one, metric)),
  ]);
}

/** As Flink's reporter tells them: a group with a value is a label, a histogram has quantiles and a count. */
function userSamples(one: Measured, metric: UserMetric): Sample[] {
  const { groups, kind, name, operatorId, operatorName, value } = metric;
  const own = groups.flatMap((group) => (group.value === null ? [] : [[group.name, group.value]]));
  const labels = {
    ...Object.fromEntries(own),
    ...one.labels,
    operator_id: operatorId,
    operator_name: operatorName,
  };
  const path = [...one.scope, 'operator', ...groups.map((group) => group.name), name];
  const help = `A ${kind} of the application.`;
  if (typeof value === 'number') return [{ path, labels, value, help }];
  const quantiles = Object.entries(value.quantiles).map(([quantile, at]) => ({
    path,
    labels: { ...labels, quantile },
    value: at,
    help,
  }));
  const counted = [...path.slice(0, -1), `${name}_count`];
  return [...quantiles, { path: counted, labels, value: value.count, help }];
}
