/** Metrics with Flink's names: a list of ids, or with `?get=a,b` their values. Pure. */
import type {
  ClusterView,
  JobView,
  TaskManagerView,
  VertexView,
} from '../jobmanager/cluster-view.ts';
import type { TaskMetrics } from '../rpc/protocol.ts';

type Metrics = Readonly<Record<string, number>>;

/** Flink's `Long.MIN_VALUE` for "no watermark yet". */
const noWatermark = -9_223_372_036_854_775_808;

export function metricAnswer(metrics: Metrics, get: string | null): unknown {
  if (get === null) return Object.keys(metrics).map((id) => ({ id }));
  return get
    .split(',')
    .filter((id) => Object.hasOwn(metrics, id))
    .map((id) => ({ id, value: String(metrics[id]) }));
}

export function jobMetrics(job: JobView): Metrics {
  return {
    numRestarts: job.attempt,
    uptime: job.endTime < 0 ? job.duration : 0,
    downtime: 0,
    runningTime: job.duration,
  };
}

/** Of every subtask, as `INDEX.NAME`. */
export function vertexMetrics(vertex: VertexView): Metrics {
  const all = vertex.subtasks.flatMap((subtask) =>
    Object.entries(taskMetrics(subtask.metrics, subtask.duration)).map(([name, value]) => [
      `${subtask.index}.${name}`,
      value,
    ]),
  );
  return Object.fromEntries(all) as Metrics;
}

function taskMetrics(metrics: TaskMetrics, durationMs: number): Metrics {
  const seconds = Math.max(durationMs, 1) / 1000;
  return {
    numRecordsIn: metrics.recordsIn,
    numRecordsOut: metrics.recordsOut,
    numBytesIn: metrics.bytesIn,
    numBytesOut: metrics.bytesOut,
    numRecordsInPerSecond: metrics.recordsIn / seconds,
    numRecordsOutPerSecond: metrics.recordsOut / seconds,
    numLateRecordsDropped: metrics.lateRecordsDropped,
    currentInputWatermark: metrics.watermark ?? noWatermark,
    busyTimeMsPerSecond: Math.min(1000, metrics.busyMs / seconds),
    idleTimeMsPerSecond: Math.min(1000, metrics.idleMs / seconds),
    backPressuredTimeMsPerSecond: Math.min(1000, metrics.backPressuredMs / seconds),
  };
}

export function vertexWatermarks(vertex: VertexView): unknown {
  return vertex.subtasks
    .filter((subtask) => subtask.metrics.watermark !== null)
    .map((subtask) => ({
      id: `${subtask.index}.currentInputWatermark`,
      value: String(subtask.metrics.watermark),
    }));
}

export function taskManagerMetrics(tm: TaskManagerView): Metrics {
  const { process } = tm;
  if (process === null) return {};
  return {
    'Status.JVM.Memory.Heap.Used': process.heapUsedBytes,
    'Status.JVM.Memory.Heap.Committed': process.heapTotalBytes,
    'Status.JVM.Memory.Heap.Max': tm.memoryBytes,
    'Status.JVM.Memory.Direct.MemoryUsed': process.externalBytes,
    'Status.JVM.CPU.Load': process.cpuLoad,
  };
}

export function jobManagerMetrics(view: ClusterView): Metrics {
  const memory = process.memoryUsage();
  const now = view.overview();
  return {
    numRegisteredTaskManagers: now.taskManagers,
    numRunningJobs: now.jobsRunning,
    taskSlotsTotal: now.slotsTotal,
    taskSlotsAvailable: now.slotsAvailable,
    'Status.JVM.Memory.Heap.Used': memory.heapUsed,
    'Status.JVM.Memory.Heap.Committed': memory.heapTotal,
    'Status.JVM.Memory.Direct.MemoryUsed': memory.external,
  };
}
