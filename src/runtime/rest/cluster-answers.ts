/** Cluster and TaskManagers of the ClusterView in the shapes of Flink's REST API. Pure. */
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Overview } from '../../contract/rest.ts';
import type { ClusterView, TaskManagerView } from '../jobmanager/cluster-view.ts';

/** The version whose dialect this is: clients choose what they send by it. */
const FLINK_DIALECT = '2.3.0';
const MiB = 1024 * 1024;

export function dashboardConfig() {
  return {
    'refresh-interval': 3000,
    'timezone-name': 'Coordinated Universal Time',
    'timezone-offset': 0,
    'flink-version': FLINK_DIALECT,
    'flink-revision': `fctl ${FCTL_VERSION}`,
    features: {
      'web-submit': false,
      'web-cancel': true,
      'web-rescale': false,
      'web-history': false,
    },
  };
}

export function overview(view: ClusterView): Overview {
  const now = view.overview();
  return {
    taskmanagers: now.taskManagers,
    'slots-total': now.slotsTotal,
    'slots-available': now.slotsAvailable,
    'jobs-running': now.jobsRunning,
    'jobs-finished': now.jobsFinished,
    'jobs-cancelled': now.jobsCancelled,
    'jobs-failed': now.jobsFailed,
    'flink-version': FLINK_DIALECT,
    'flink-commit': `fctl-${FCTL_VERSION}`,
  };
}

export function jobManagerConfig(view: ClusterView) {
  return Object.entries(view.effectiveConfig).map(([key, value]) => ({ key, value }));
}

function resource(cpuCores: number, bytes: number) {
  return {
    cpuCores,
    taskHeapMemory: Math.floor(bytes / MiB),
    taskOffHeapMemory: 0,
    managedMemory: 0,
    networkMemory: 0,
    extendedResources: {},
  };
}

export function taskManagerInfo(tm: TaskManagerView) {
  const share = tm.slots === 0 ? 0 : tm.freeSlots / tm.slots;
  const { process } = tm;
  return {
    id: tm.id,
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
      freeMemory: Math.max(0, tm.memoryBytes - (process?.rssBytes ?? 0)),
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

export function taskManagerDetails(tm: TaskManagerView) {
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
      nonHeapUsed: used?.externalBytes ?? 0,
      nonHeapCommitted: used?.externalBytes ?? 0,
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
      garbageCollectors: [],
    },
  };
}
