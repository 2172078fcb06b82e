/** Metrics that user code has, as they are reported. */

/** How the last values are distributed. */
export interface Distribution {
  /** Of all values, not only the last. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  /** By share, as Flink names them: `0.5`, `0.999`. */
  readonly quantiles: Readonly<Record<string, number>>;
}

export interface UserMetric {
  readonly operatorId: string;
  readonly operatorName: string;
  /** Outermost first. */
  readonly groups: readonly { readonly name: string; readonly value: string | null }[];
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'meter' | 'histogram';
  /** Of a meter: events a second, lately. */
  readonly value: number | Distribution;
}

/** Shares whose quantiles Flink tells, with how it names them. */
export const quantileNames: Readonly<Record<string, string>> = {
  '0.5': 'median',
  '0.75': 'p75',
  '0.9': 'p90',
  '0.95': 'p95',
  '0.98': 'p98',
  '0.99': 'p99',
  '0.999': 'p999',
};
