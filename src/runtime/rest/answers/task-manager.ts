/** TaskManagers in the shapes of Flink's REST API. Pure. */
import type {
  ResourceProfile,
  TaskManagerDetails,
  TaskManagerInfo,
} from '../../../contract/rest.ts';
import type { TaskManagerView } from '../../jobmanager/views/cluster-view.ts';

const MiB = 1024 * 1024;

/**
 * `taskmanager-0/3f2a` as `taskmanager-0-3f2a`: clients put ids into paths as they are, the Web UI among
 * them, and a slash would make two segments of one.
 */
export const taskManagerRestId = (id: string): string => id.replaceAll('/', '-');

/** By its id in REST, its id inside the cluster, or its name. */
export function findTaskManager(
  taskManagers: readonly TaskManagerView[],
  id: string,
): TaskManagerView | null {
  return (
    taskManagers.find((tm) => taskManagerRestId(tm.id) === id || tm.id === id) ??
    taskManagers.find((tm) => tm.name === id) ??
    null
  );
}

/** A Node.js process does not divide its memory beforehand: all of it counts as heap. */
function resource(cpuCores: number, bytes: number): ResourceProfile {
  return {
    cpuCores,
    taskHeapMemory: Math.floor(bytes / MiB),
    taskOffHeapMemory: 0,
    managedMemory: 0,
    networkMemory: 0,
    extendedResources: {},
  };
}

export function taskManagerInfo(tm: TaskManagerView): TaskManagerInfo {
  const share = tm.slots === 0 ? 0 : tm.freeSlots / tm.slots;
  return {
    id: taskManagerRestId(tm.id),
    path: `ws://${tm.host}/${tm.name}`,
    dataPort: tm.dataPort,
    jmxPort: -1,
    timeSinceLastHeartbeat: tm.lastHeartbeat,
    slotsNumber: tm.slots,
    freeSlots: tm.freeSlots,
    assignedTasks: tm.allocations.reduce((sum, a) => sum + a.assignedTasks, 0),
    totalResource: resource(tm.cpuCores, tm.memoryBytes),
    freeResource: resource(tm.cpuCores * share, tm.memoryBytes * share),
    hardware: {
      cpuCores: tm.cpuCores,
      physicalMemory: tm.memoryBytes,
      freeMemory: Math.max(0, tm.memoryBytes - (tm.process?.rssBytes ?? 0)),
      managedMemory: 0,
    },
    memoryConfiguration: {
      frameworkHeap: 0,
      taskHeap: tm.memoryBytes,
      frameworkOffHeap: 0,
      taskOffHeap: 0,
      networkMemory: 0,
      managedMemory: 0,
      jvmMetaspace: 0,
      jvmOverhead: 0,
      totalFlinkMemory: tm.memoryBytes,
      totalProcessMemory: tm.memoryBytes,
    },
  };
}

export function taskManagerDetails(tm: TaskManagerView): TaskManagerDetails {
  const used = tm.process;
  return {
    ...taskManagerInfo(tm),
    allocatedSlots: tm.allocations.map(({ jobId, assignedTasks }) => ({
      jobId,
      resource: resource(tm.cpuCores / tm.slots, tm.memoryBytes / tm.slots),
      assignedTasks,
    })),
    metrics: {
      heapUsed: used?.heapUsedBytes ?? 0,
      heapCommitted: used?.heapTotalBytes ?? 0,
      heapMax: tm.memoryBytes,
      nonHeapUsed: used?.nonHeapBytes ?? 0,
      nonHeapCommitted: used?.nonHeapBytes ?? 0,
      nonHeapMax: tm.memoryBytes,
      directCount: 0,
      directUsed: used?.externalBytes ?? 0,
      directMax: tm.memoryBytes,
      mappedCount: 0,
      mappedUsed: 0,
      mappedMax: 0,
      nettyShuffleMemorySegmentsAvailable: 0,
      nettyShuffleMemorySegmentsUsed: 0,
      nettyShuffleMemorySegmentsTotal: 0,
      nettyShuffleMemoryAvailable: 0,
      nettyShuffleMemoryUsed: 0,
      nettyShuffleMemoryTotal: 0,
      garbageCollectors:
        used === null ? [] : [{ name: 'V8', count: used.gcCount, time: Math.round(used.gcMs) }],
    },
  };
}
