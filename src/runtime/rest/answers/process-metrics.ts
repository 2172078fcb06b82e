/**
 * What a process uses, with the names that Flink has for a JVM. Pure.
 *
 *     Heap      the JavaScript heap of the main thread
 *     Direct    buffers and strings outside of it
 *     NonHeap   the rest of what the process occupies: code, heaps of the slots, the runtime itself
 */
import type { ClusterView, TaskManagerView } from '../../jobmanager/views/cluster-view.ts';
import type { ProcessFigures } from '../../rpc/protocol.ts';
import { double, long, type Metrics } from './metrics.ts';

/** What is neither heap nor buffers. */
export const nonHeapBytes = ({ externalBytes, heapTotalBytes, rssBytes }: ProcessFigures): number =>
  Math.max(0, rssBytes - heapTotalBytes - externalBytes);

/** @param cores of the machine: Flink's load is a share of all of them. */
function processMetrics(figures: ProcessFigures, cores: number): Metrics {
  const { cpuLoad, cpuMs, externalBytes, gc, heapLimitBytes, heapTotalBytes, heapUsedBytes } =
    figures;
  const native = long(nonHeapBytes(figures));
  return {
    'Status.JVM.Memory.Heap.Used': long(heapUsedBytes),
    'Status.JVM.Memory.Heap.Committed': long(heapTotalBytes),
    'Status.JVM.Memory.Heap.Max': long(heapLimitBytes),
    'Status.JVM.Memory.NonHeap.Used': native,
    'Status.JVM.Memory.NonHeap.Committed': native,
    'Status.JVM.Memory.NonHeap.Max': '-1',
    'Status.JVM.Memory.Metaspace.Used': '0',
    'Status.JVM.Memory.Metaspace.Committed': '0',
    'Status.JVM.Memory.Metaspace.Max': '-1',
    'Status.JVM.Memory.Direct.Count': '0',
    'Status.JVM.Memory.Direct.MemoryUsed': long(externalBytes),
    'Status.JVM.Memory.Direct.TotalCapacity': long(externalBytes),
    'Status.JVM.Memory.Mapped.Count': '0',
    'Status.JVM.Memory.Mapped.MemoryUsed': '0',
    'Status.JVM.Memory.Mapped.TotalCapacity': '0',
    'Status.JVM.CPU.Load': double(Math.min(1, cpuLoad / Math.max(1, cores))),
    'Status.JVM.CPU.Time': long(cpuMs * 1e6),
    'Status.JVM.GarbageCollector.All.Count': long(gc.count),
    'Status.JVM.GarbageCollector.All.Time': long(gc.ms),
  };
}

/** Its heap may grow to the memory that it was given: V8's own limit is far above. */
export function taskManagerMetrics({ cpuCores, memoryBytes, process }: TaskManagerView): Metrics {
  if (process === null) return {};
  return {
    ...processMetrics(process, cpuCores),
    'Status.JVM.Memory.Heap.Max': long(memoryBytes),
    'Status.Flink.Memory.Managed.Used': '0',
    'Status.Flink.Memory.Managed.Total': '0',
  };
}

export function jobManagerMetrics(view: ClusterView): Metrics {
  const { jobsRunning, slotsAvailable, slotsTotal, taskManagers } = view.overview();
  const { cpuCores, figures } = view.process();
  return {
    numRegisteredTaskManagers: long(taskManagers),
    numRunningJobs: long(jobsRunning),
    taskSlotsTotal: long(slotsTotal),
    taskSlotsAvailable: long(slotsAvailable),
    ...processMetrics(figures, cpuCores),
  };
}
