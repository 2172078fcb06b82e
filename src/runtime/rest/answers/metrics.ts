/**
 * Metrics of jobs and tasks with Flink's names: a list of ids, or with `?get=a,b` those with their values.
 * Rates are of the last seconds. Pure.
 */
import type { Metric } from '../../../contract/rest.ts';
import type { JobVertex } from '../../../graph/job-graph.ts';
import type { JobView, SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';

/** Values by id, as Flink writes them. */
export type Metrics = Readonly<Record<string, string>>;

/** Beyond this a watermark means that no more records come; see `TaskMetrics.watermark`. */
const MAX_LONG = '9223372036854775807';
const MIN_LONG = '-9223372036854775808';

/** In the order of the metrics, as Flink does; names that are not known are left out. */
export function metricAnswer(metrics: Metrics, get: string | null): Metric[] {
  if (get === null) return Object.keys(metrics).map((id) => ({ id }));
  const asked = new Set(get.split(','));
  return Object.entries(metrics)
    .filter(([id]) => asked.has(id))
    .map(([id, value]) => ({ id, value }));
}

/** Java's `long`. */
export const long = (value: number) => BigInt(Math.round(value)).toString();
/** Java's `double`. */
export const double = (value: number) =>
  Number.isInteger(value) ? value.toFixed(1) : String(value);

/** Java's `long`: before the first watermark its smallest value, after the last one its largest. */
function watermarkText(watermark: number | null): string {
  if (watermark === null) return MIN_LONG;
  return watermark >= Number.MAX_SAFE_INTEGER ? MAX_LONG : long(watermark);
}

/** What a job that never had a checkpoint says about them. */
const checkpointMetrics: Metrics = {
  totalNumberOfCheckpoints: '0',
  numberOfInProgressCheckpoints: '0',
  numberOfCompletedCheckpoints: '0',
  numberOfFailedCheckpoints: '0',
  lastCheckpointSize: '-1',
  lastCheckpointFullSize: '-1',
  lastCheckpointDuration: '-1',
  lastCompletedCheckpointId: '-1',
  lastCheckpointRestoreTimestamp: '-1',
  lastCheckpointExternalPath: 'n/a',
};

export function jobMetrics(job: JobView): Metrics {
  const { attempt, endTime, now, state, timestamps } = job;
  const ended = endTime >= 0;
  const since = (status: keyof typeof timestamps) =>
    state === status ? long(now - timestamps[status]) : '0';
  const started = timestamps.RUNNING;
  const running = started > 0 ? (ended ? endTime : now) - started : 0;
  return {
    numRestarts: long(attempt),
    uptime: long(ended ? -1 : state === 'RUNNING' ? running : 0),
    downtime: long(ended ? -1 : state === 'RESTARTING' ? now - timestamps.RESTARTING : 0),
    createdTime: since('CREATED'),
    initializingTime: since('INITIALIZING'),
    runningTime: long(running),
    restartingTime: since('RESTARTING'),
    cancellingTime: since('CANCELLING'),
    failingTime: since('FAILING'),
    ...checkpointMetrics,
  };
}

/** Of every subtask, as `INDEX.NAME`. */
export function vertexMetrics(vertex: VertexView, graph: JobVertex | undefined): Metrics {
  return Object.fromEntries(
    vertex.subtasks.flatMap((subtask) =>
      Object.entries(subtaskMetrics(subtask, graph)).map(([name, value]) => [
        `${subtask.index}.${name}`,
        value,
      ]),
    ),
  );
}

/** Its name as part of a metric's; `null` when the vertex reads from other vertices. */
function sourceOperator(vertex: JobVertex | undefined): string | null {
  const head = vertex?.operators[0];
  return head?.kind === 'source' ? head.name.replace(/[^A-Za-z0-9_]/g, '_') : null;
}

/** @param graph the subtask's vertex. */
export function subtaskMetrics(
  { metrics, recent }: SubtaskView,
  graph: JobVertex | undefined,
): Metrics {
  const perSecond = (count: number) => count / (Math.max(recent.ms, 1) / 1000);
  const share = (ms: number) => Math.min(1000, perSecond(ms));
  const source = sourceOperator(graph);
  const watermark = source === null ? 'currentInputWatermark' : `${source}.currentOutputWatermark`;
  return {
    numRecordsIn: long(metrics.recordsIn),
    numRecordsOut: long(metrics.recordsOut),
    numBytesIn: long(metrics.bytesIn),
    numBytesOut: long(metrics.bytesOut),
    numRecordsInPerSecond: double(perSecond(recent.recordsIn)),
    numRecordsOutPerSecond: double(perSecond(recent.recordsOut)),
    numBytesInPerSecond: double(perSecond(recent.bytesIn)),
    numBytesOutPerSecond: double(perSecond(recent.bytesOut)),
    numLateRecordsDropped: long(metrics.lateRecordsDropped),
    [watermark]: watermarkText(metrics.watermark),
    ...(source !== null && { [`${source}.numRecordsInErrors`]: long(metrics.skippedRecords) }),
    busyTimeMsPerSecond: double(share(recent.busyMs)),
    idleTimeMsPerSecond: long(share(recent.idleMs)),
    backPressuredTimeMsPerSecond: long(share(recent.backPressuredMs)),
    isBackPressured: String(share(recent.backPressuredMs) > 0),
    accumulateBusyTimeMs: double(metrics.busyMs),
    accumulateIdleTimeMs: long(metrics.idleMs),
    accumulateBackPressuredTimeMs: long(metrics.backPressuredMs),
  };
}

/** Empty for a source: nothing comes in there. */
export function vertexWatermarks(vertex: VertexView, graph: JobVertex | undefined): Metric[] {
  if (sourceOperator(graph) !== null) return [];
  return vertex.subtasks.map(({ index, metrics }) => ({
    id: `${index}.currentInputWatermark`,
    value: watermarkText(metrics.watermark),
  }));
}
