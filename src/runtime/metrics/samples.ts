/** Metrics as reporters send them: a number each, with Flink's scopes, names and variables. Pure. */
import type { MetricRow } from '../../contract/metrics/metric.ts';
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
  return measured.flatMap((one) =>
    toldMetrics(one.rows, one).flatMap(({ metric, row, value }) => {
      if (value === null) return [];
      const isSource = metric.at === 'source';
      const scope = isSource ? [...one.scope, 'operator'] : one.scope;
      const labels = isSource ? { ...one.labels, ...one.sourceLabels } : one.labels;
      const isEnd = metric.as === 'time' && value >= Number.MAX_SAFE_INTEGER;
      const told = isEnd ? longest : value;
      return [{ path: [...scope, ...metric.name.split('.')], labels, value: told, help: row.help }];
    }),
  );
}
