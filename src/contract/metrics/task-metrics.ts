/**
 * The metrics of tasks. A metric is one row here, and the place that counts or measures it: the task counts
 * into `TaskCounters`, and everything that reports, sums, records or shows metrics goes through the rows.
 */
import type { MetricRow } from './metric.ts';

export interface TaskMetricRow extends MetricRow {
  readonly scope: 'task';
  /** Its field in the `metrics` of vertices and subtasks in job details: Flink's. */
  readonly ioField?: string;
  /** Its field of vertices in job details, beside Flink's. */
  readonly vertexField?: string;
  /** Titles of its column in tables of vertices. */
  readonly columns?: { readonly running?: string; readonly ended?: string };
  /** Records that are in no result; how people are told, `#` being how many: `dropped # late records`. */
  readonly loss?: string;
}

const table = [
  {
    name: 'bytesIn',
    scope: 'task',
    kind: 'counter',
    unit: 'bytes',
    over: 'sum',
    flink: [
      { name: 'numBytesIn', as: 'long' },
      { name: 'numBytesInPerSecond', as: 'double', of: 'second' },
    ],
    ioField: 'read-bytes',
    help: 'What came from other tasks; by reference within a slot, where the size is estimated.',
  },
  {
    name: 'bytesOut',
    scope: 'task',
    kind: 'counter',
    unit: 'bytes',
    over: 'sum',
    flink: [
      { name: 'numBytesOut', as: 'long' },
      { name: 'numBytesOutPerSecond', as: 'double', of: 'second' },
    ],
    ioField: 'write-bytes',
    help: 'What was sent to other tasks.',
  },
  {
    name: 'recordsIn',
    scope: 'task',
    kind: 'counter',
    unit: 'records',
    over: 'sum',
    flink: [
      { name: 'numRecordsIn', as: 'long' },
      { name: 'numRecordsInPerSecond', as: 'double', of: 'second' },
    ],
    ioField: 'read-records',
    columns: { running: 'IN', ended: 'IN' },
    help: 'Records that came in; of a source, those that it read.',
  },
  {
    name: 'recordsOut',
    scope: 'task',
    kind: 'counter',
    unit: 'records',
    over: 'sum',
    flink: [
      { name: 'numRecordsOut', as: 'long' },
      { name: 'numRecordsOutPerSecond', as: 'double', of: 'second' },
    ],
    ioField: 'write-records',
    columns: { running: 'OUT', ended: 'OUT' },
    help: 'Records that went out: sent to other tasks, or written by its sinks.',
  },
  {
    name: 'lateRecords',
    scope: 'task',
    kind: 'counter',
    unit: 'records',
    over: 'sum',
    flink: [{ name: 'numLateRecordsDropped', as: 'long' }],
    vertexField: 'late-records',
    columns: { ended: 'LATE' },
    loss: 'dropped # late records',
    help: 'Records that windows dropped: they came after the window had ended.',
  },
  {
    name: 'skippedRecords',
    scope: 'task',
    kind: 'counter',
    unit: 'records',
    over: 'sum',
    flink: [{ name: 'numRecordsInErrors', as: 'long', at: 'source' }],
    vertexField: 'skipped-records',
    columns: { ended: 'SKIPPED' },
    loss: 'skipped # malformed records',
    help: 'Malformed records that a source passed over, as it was told to.',
  },
  {
    name: 'untoldMetrics',
    scope: 'task',
    kind: 'counter',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'numMetricsUntold', as: 'long', isOwn: true }],
    help: "Metrics of the application's own that are told nowhere, for a task has at most 500.",
  },
  {
    name: 'watermark',
    scope: 'task',
    kind: 'gauge',
    unit: 'time',
    over: 'min',
    flink: [
      { name: 'currentInputWatermark', as: 'time', at: 'inputs' },
      { name: 'currentOutputWatermark', as: 'time', at: 'source' },
    ],
    vertexField: 'watermark',
    columns: { running: 'WATERMARK' },
    help: 'Event time that the task has reached.',
  },
  {
    name: 'watermarkLagMs',
    scope: 'task',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'watermarkLag', as: 'long', at: 'source' }],
    help: 'How far the watermark is behind the clock; not known before the first one, and after the last.',
  },
  {
    name: 'initializationMs',
    scope: 'task',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'initializationTime', as: 'long' }],
    help: 'How long it took to open its operators; not known before they are open.',
  },
  {
    name: 'busyMs',
    scope: 'task',
    kind: 'counter',
    unit: 'ms',
    over: 'sum',
    flink: [
      { name: 'busyTimeMsPerSecond', as: 'double', of: 'second' },
      { name: 'accumulateBusyTimeMs', as: 'double' },
    ],
    ioField: 'accumulated-busy-time',
    help: 'Time in which it worked.',
  },
  {
    name: 'idleMs',
    scope: 'task',
    kind: 'counter',
    unit: 'ms',
    over: 'sum',
    flink: [
      { name: 'idleTimeMsPerSecond', as: 'long', of: 'second' },
      { name: 'accumulateIdleTimeMs', as: 'long' },
    ],
    ioField: 'accumulated-idle-time',
    help: 'Time in which it had nothing to do.',
  },
  {
    name: 'backPressuredMs',
    scope: 'task',
    kind: 'counter',
    unit: 'ms',
    over: 'sum',
    flink: [
      { name: 'backPressuredTimeMsPerSecond', as: 'long', of: 'second' },
      { name: 'isBackPressured', as: 'boolean', of: 'growth' },
      { name: 'accumulateBackPressuredTimeMs', as: 'long' },
    ],
    ioField: 'accumulated-backpressured-time',
    help: 'Time in which those after it, or its sinks, took nothing.',
  },
] as const satisfies readonly TaskMetricRow[];

type Row = (typeof table)[number];
type CounterRow = Extract<Row, { kind: 'counter' }>;
type GaugeRow = Extract<Row, { kind: 'gauge' }>;

export type TaskMetricName = Row['name'];
export type TaskCounterName = CounterRow['name'];
export type IoField = Extract<Row, { ioField: string }>['ioField'];
/** Of what has no unit of time, it is said whether it is known. */
export type CompletableIoField = Extract<
  Row,
  { ioField: string; unit: 'records' | 'bytes' }
>['ioField'];
export type VertexField = Extract<Row, { vertexField: string }>['vertexField'];

/** In the order in which they are listed. */
export const taskMetricRows: readonly (TaskMetricRow & { readonly name: TaskMetricName })[] = table;

export const taskCounterNames: readonly TaskCounterName[] = table
  .filter((row) => row.kind === 'counter')
  .map(({ name }) => name);

/** What is counted up. */
export type TaskCounters = Record<TaskCounterName, number>;

/** What is measured when a task reports; `null`: not known yet. A time without an end is `Number.MAX_SAFE_INTEGER`. */
export type TaskGauges = Record<GaugeRow['name'], number | null>;

/** What a task reports, and sums of that. */
export type TaskMetrics = Readonly<TaskCounters & TaskGauges>;

/** New ones, all 0: plain fields, so that counting a record costs an addition. */
export const createTaskCounters = (): TaskCounters =>
  Object.fromEntries(taskCounterNames.map((name) => [name, 0])) as TaskCounters;

/** Of a task that has not reported. */
export const noTaskMetrics: TaskMetrics = taskMetricsOf({});

/**
 * The metrics among the fields of `values`.
 * @param values of an earlier version, perhaps, which lacks some: those count as 0, or as not known.
 */
export function taskMetricsOf(values: Partial<TaskMetrics>): TaskMetrics {
  const each = table.map(({ kind, name }) => [
    name,
    values[name] ?? (kind === 'counter' ? 0 : null),
  ]);
  return Object.fromEntries(each) as TaskMetrics;
}

/** Those of several subtasks as one. */
export function mergeTaskMetrics(all: readonly TaskMetrics[]): TaskMetrics {
  const merged = table.map(({ name, over }) => [
    name,
    merge(
      all.map((one) => one[name]),
      over,
    ),
  ]);
  return Object.fromEntries(merged) as TaskMetrics;
}

function merge(values: readonly (number | null)[], over: MetricRow['over']): number | null {
  if (over === 'sum') return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce((a, b) => Math[over](a!, b!));
}
