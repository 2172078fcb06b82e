/** The metrics of jobs. A metric is one row here, and the place that measures it. */
import type { FixedMetric, MetricRow } from './metric.ts';

const table = [
  {
    name: 'restarts',
    scope: 'job',
    kind: 'counter',
    unit: 'number',
    over: 'sum',
    flink: [{ name: 'numRestarts', as: 'long' }],
    help: 'How often the job has been restarted.',
  },
  {
    name: 'uptimeMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'min',
    flink: [{ name: 'uptime', as: 'long' }],
    help: 'Since it runs; 0 while it does not, -1 once it has ended.',
  },
  {
    name: 'downtimeMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'downtime', as: 'long' }],
    help: 'Since it has failed and waits to be restarted; 0 while it runs, -1 once it has ended.',
  },
  {
    name: 'createdMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'createdTime', as: 'long' }],
    help: 'Since it is `CREATED`; 0 in another state.',
  },
  {
    name: 'initializingMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'initializingTime', as: 'long' }],
    help: 'Since it is `INITIALIZING`; 0 in another state.',
  },
  {
    name: 'runningMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'runningTime', as: 'long' }],
    help: 'Since it was first `RUNNING`, until it ended.',
  },
  {
    name: 'restartingMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'restartingTime', as: 'long' }],
    help: 'Since it is `RESTARTING`; 0 in another state.',
  },
  {
    name: 'cancellingMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'cancellingTime', as: 'long' }],
    help: 'Since it is `CANCELLING`; 0 in another state.',
  },
  {
    name: 'failingMs',
    scope: 'job',
    kind: 'gauge',
    unit: 'ms',
    over: 'max',
    flink: [{ name: 'failingTime', as: 'long' }],
    help: 'Since it is `FAILING`; 0 in another state.',
  },
] as const satisfies readonly MetricRow[];

/** What is known of a job. */
export type JobFigures = Readonly<Record<(typeof table)[number]['name'], number>>;

export const jobMetricRows: readonly MetricRow[] = table;

const fixed = (name: string, value: string): FixedMetric => ({ name, scope: 'job', value });

/** What a job that never had a checkpoint says about them. */
export const fixedJobMetrics: readonly FixedMetric[] = [
  fixed('totalNumberOfCheckpoints', '0'),
  fixed('numberOfInProgressCheckpoints', '0'),
  fixed('numberOfCompletedCheckpoints', '0'),
  fixed('numberOfFailedCheckpoints', '0'),
  fixed('lastCheckpointSize', '-1'),
  fixed('lastCheckpointFullSize', '-1'),
  fixed('lastCheckpointDuration', '-1'),
  fixed('lastCompletedCheckpointId', '-1'),
  fixed('lastCheckpointRestoreTimestamp', '-1'),
  fixed('lastCheckpointExternalPath', 'n/a'),
];
