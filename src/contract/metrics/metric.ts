/** What a row of the table of metrics says. */

/** What a value is of; in REST, TaskManagers and JobManagers are told apart by the path. */
export type MetricScope = 'jobmanager' | 'process' | 'job' | 'task';

export type MetricUnit =
  | 'records'
  | 'bytes'
  | 'ms'
  /** Epoch milliseconds. */
  | 'time'
  /** CPUs, jobs, slots and the like: the help says of what. */
  | 'number';

/** One metric; its value has one name wherever it is kept, and one or more of Flink's in REST and reports. */
export interface MetricRow {
  /** In reports of tasks and processes, in outcomes, in JSON. */
  readonly name: string;
  readonly scope: MetricScope;
  /** A counter only grows while what it is of lives, and begins at 0 again with a new attempt. */
  readonly kind: 'counter' | 'gauge';
  readonly unit: MetricUnit;
  /** How those of several subtasks or processes are one; a gauge that one of them lacks is not known. */
  readonly over: 'sum' | 'min' | 'max';
  readonly flink: readonly FlinkMetric[];
  /** One sentence, or two. */
  readonly help: string;
}

/** A name that Flink has for a metric, or for what follows from it. A gauge that is not known is not told. */
export interface FlinkMetric {
  readonly name: string;
  /** `time`: a `long`; before the first one its smallest value, after the last one its largest. */
  readonly as: 'long' | 'double' | 'boolean' | 'time';
  /**
   * What is told: the value itself, how much it grew a second lately (Flink's meters), or whether it grew
   * lately. Default: the value.
   */
  readonly of?: 'value' | 'second' | 'growth';
  /** Flink has none of this name. */
  readonly isOwn?: true;
  /** Times of this are told. Default: 1. */
  readonly factor?: number;
  /**
   * Tasks that have it: those that begin with a source, where it is the operator's (`Source__files.NAME`), or
   * those that do not. Default: all, as the task's.
   */
  readonly at?: 'source' | 'inputs';
}

/** What Flink tells and has no meaning here: what it says where there is nothing. */
export interface FixedMetric {
  readonly name: string;
  readonly scope: MetricScope;
  readonly value: string;
}
