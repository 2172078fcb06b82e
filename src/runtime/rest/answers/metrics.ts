/**
 * Metrics with Flink's names: a list of ids, or with `?get=a,b` those with their values. Rates are means
 * over the life of the task. Pure.
 */
import type { Metric } from '../../../contract/rest.ts';
import type { JobVertex } from '../../../graph/job-graph.ts';
import type {
  ClusterView,
  JobView,
  SubtaskView,
  TaskManagerView,
  VertexView,
} from '../../jobmanager/cluster-view.ts';

/** Values as Flink writes them. */
type Metrics = Readonly<Record<string, string>>;

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

const long = (value: number) => BigInt(Math.round(value)).toString();
const double = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Java's `long`: before the first watermark its smallest value, after the last one its largest. */
function watermarkText(watermark: number | null): string {
  if (watermark === null) return MIN_LONG;
  return watermark >= Number.MAX_SAFE_INTEGER ? MAX_LONG : long(watermark);
}

export function jobMetrics(job: JobView): Metrics {
  const { timestamps } = job;
  const started = timestamps.RUNNING;
  const running = started > 0 ? (job.endTime < 0 ? job.now : job.endTime) - started : 0;
  return {
    numRestarts: long(job.attempt),
    uptime: long(job.endTime < 0 ? running : -1),
    downtime: long(job.endTime < 0 ? 0 : -1),
    runningTime: long(running),
    restartingTime: '0',
  };
}

/** Of every subtask, as `INDEX.NAME`. */
export function vertexMetrics(vertex: VertexView, graph: JobVertex | undefined): Metrics {
  const source = sourceOperator(graph);
  return Object.fromEntries(
    vertex.subtasks.flatMap((subtask) =>
      Object.entries(taskMetrics(subtask, source)).map(([name, value]) => [
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

function taskMetrics({ duration, metrics }: SubtaskView, source: string | null): Metrics {
  const seconds = Math.max(duration, 1) / 1000;
  const share = (ms: number) => Math.min(1000, ms / seconds);
  const watermark = source === null ? 'currentInputWatermark' : `${source}.currentOutputWatermark`;
  return {
    numRecordsIn: long(metrics.recordsIn),
    numRecordsOut: long(metrics.recordsOut),
    numBytesIn: long(metrics.bytesIn),
    numBytesOut: long(metrics.bytesOut),
    numRecordsInPerSecond: double(metrics.recordsIn / seconds),
    numRecordsOutPerSecond: double(metrics.recordsOut / seconds),
    numBytesInPerSecond: double(metrics.bytesIn / seconds),
    numBytesOutPerSecond: double(metrics.bytesOut / seconds),
    numLateRecordsDropped: long(metrics.lateRecordsDropped),
    [watermark]: watermarkText(metrics.watermark),
    busyTimeMsPerSecond: double(share(metrics.busyMs)),
    idleTimeMsPerSecond: long(share(metrics.idleMs)),
    backPressuredTimeMsPerSecond: long(share(metrics.backPressuredMs)),
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

export function taskManagerMetrics({ memoryBytes, process }: TaskManagerView): Metrics {
  if (process === null) return {};
  return {
    'Status.JVM.Memory.Heap.Used': long(process.heapUsedBytes),
    'Status.JVM.Memory.Heap.Committed': long(process.heapTotalBytes),
    'Status.JVM.Memory.Heap.Max': long(memoryBytes),
    'Status.JVM.Memory.Direct.MemoryUsed': long(process.externalBytes),
    'Status.JVM.CPU.Load': double(process.cpuLoad),
  };
}

/** @param memory of this process. */
export function jobManagerMetrics(view: ClusterView, memory: NodeJS.MemoryUsage): Metrics {
  const now = view.overview();
  return {
    numRegisteredTaskManagers: long(now.taskManagers),
    numRunningJobs: long(now.jobsRunning),
    taskSlotsTotal: long(now.slotsTotal),
    taskSlotsAvailable: long(now.slotsAvailable),
    'Status.JVM.Memory.Heap.Used': long(memory.heapUsed),
    'Status.JVM.Memory.Heap.Committed': long(memory.heapTotal),
    'Status.JVM.Memory.Direct.MemoryUsed': long(memory.external),
  };
}
