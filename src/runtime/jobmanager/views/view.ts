/** What REST sees, put together from the parts of the JobManager. */
import type { ClusterInfo } from '../../../contract/fctl-rest.ts';
import type {
  BlobStore,
  ClusterOverview,
  ClusterView,
  CommandResult,
  LogFiles,
  TaskManagerView,
} from './cluster-view.ts';
import type { Clock } from '../../../contract/clock.ts';
import { nameOf } from '../../../contract/resource-id.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { isTerminalJobStatus, JobStatus } from '../scheduler/job-status.ts';
import { currentLogs, type LocalView } from './local-view.ts';
import { Operations } from '../dispatcher/operations.ts';
import type { ResourceManager, TaskManager } from '../resources/resource-manager.ts';

export interface ViewParts {
  readonly epoch: number;
  readonly effectiveConfig: Readonly<Record<string, string>>;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Of this process. */
  readonly local: LocalView;
  readonly dispatcher: Dispatcher;
  readonly resources: ResourceManager;
  readonly ready: () => boolean;
  readonly info: () => ClusterInfo;
  readonly document: ClusterView['document'];
  readonly jars: ClusterView['jars'];
  readonly submitJob: ClusterView['submitJob'];
  readonly cancelApplication: () => CommandResult;
  readonly shutDown: () => CommandResult;
}

export function createClusterView(parts: ViewParts): ClusterView {
  const { dispatcher, resources } = parts;
  return {
    get ready() {
      return parts.ready();
    },
    epoch: parts.epoch,
    effectiveConfig: parts.effectiveConfig,
    blobs: parts.blobs,
    operations: new Operations(parts.clock),
    ...parts.local,
    now: () => parts.clock.now(),
    info: parts.info,
    overview: () => overviewOf(dispatcher, resources),
    taskManagers: () =>
      resources.taskManagers.map((taskManager) => viewTaskManager(taskManager, parts)),
    taskManagerLogs: (id) => logsOf(id, resources),
    taskManagerThreads: (id) => resources.call(id, 'threadDump'),
    jobs: () => dispatcher.views().toReversed(),
    job: (jobId) => dispatcher.view(jobId),
    document: parts.document,
    jars: parts.jars,
    submitJob: parts.submitJob,
    cancelJob: (jobId) => dispatcher.cancel(jobId),
    cancelApplication: parts.cancelApplication,
    shutDown: parts.shutDown,
    jobResult: (jobId, waitMs) => dispatcher.result(jobId, waitMs),
    jobAttempts: (jobId) => dispatcher.attempts(jobId),
  };
}

/** They are read where they lie. */
function logsOf(id: string, resources: ResourceManager): LogFiles {
  return {
    current: currentLogs(nameOf(id)),
    list: () => resources.call(id, 'listLogs'),
    read: (range) => resources.call(id, 'readLog', range),
  };
}

function overviewOf(dispatcher: Dispatcher, resources: ResourceManager): ClusterOverview {
  const { taskManagers, total, free } = resources.slots.overview;
  const states = dispatcher.states();
  const count = (state: JobStatus) => states.filter((other) => other === state).length;
  return {
    taskManagers,
    slotsTotal: total,
    slotsAvailable: free,
    jobsRunning: states.filter((state) => !isTerminalJobStatus(state)).length,
    jobsFinished: count(JobStatus.finished),
    jobsCancelled: count(JobStatus.canceled),
    jobsFailed: count(JobStatus.failed),
  };
}

function viewTaskManager(
  taskManager: TaskManager,
  { dispatcher, resources }: ViewParts,
): TaskManagerView {
  const { connection, id, name, registration, registeredAt, report } = taskManager;
  const allocated = resources.slots.allocationsOf(id);
  const located = dispatcher.running.flatMap((job) => job.subtasksOn(id));
  return {
    id,
    name,
    host: registration.address,
    pid: registration.pid,
    dataPort: located[0]?.location?.dataPort ?? -1,
    registeredAt,
    lastHeartbeat: connection.lastHeard,
    slots: registration.slots,
    freeSlots: registration.slots - allocated.length,
    cpuCores: registration.cpuCores,
    memoryBytes: registration.memoryBytes,
    allocations: allocated.map(({ allocationId, jobId, slotIndex }) => ({
      allocationId,
      jobId,
      slotIndex,
      assignedTasks: located.filter((e) => e.location?.allocationId === allocationId).length,
    })),
    process: report?.process ?? null,
  };
}
