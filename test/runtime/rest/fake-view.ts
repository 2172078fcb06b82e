/**
 * A cluster as REST sees it, without a cluster: views are made of executions by the code that the
 * JobManager makes them with.
 */
import { createHash } from 'node:crypto';
import type { FailureInfo } from '../../../src/contract/outcome.ts';
import type { JobGraph } from '../../../src/graph/job-graph.ts';
import type {
  BlobStore,
  ClusterView,
  CommandResult,
  JobView,
  LogFiles,
  TaskManagerView,
} from '../../../src/runtime/jobmanager/views/cluster-view.ts';
import { Execution } from '../../../src/runtime/jobmanager/scheduler/execution.ts';
import { createJobStateMachine } from '../../../src/runtime/jobmanager/scheduler/job-status.ts';
import { createJobView } from '../../../src/runtime/jobmanager/views/job-view.ts';
import { Operations } from '../../../src/runtime/jobmanager/dispatcher/operations.ts';
import type { ProcessFigures } from '../../../src/contract/metrics/process-metrics.ts';
import { noTaskMetrics, type TaskMetrics } from '../../../src/contract/metrics/task-metrics.ts';
import { noFigures } from '../metrics/no-figures.ts';
import { edge, graph, operator, operatorId, vertex } from '../jobmanager/graphs.ts';

export const jobId = '0123456789abcdef0123456789abcdef';
/** Of the cluster `flights`, release `r1`. */
export const applicationId = createHash('sha256').update('flights/r1').digest('hex').slice(0, 32);
export const unknownId = '0'.repeat(32);
const taskManagerId = 'taskmanager-0/3f2a';
const startTime = 1_795_371_000_000;

const source = vertex('Source: numbers', 2, {
  operators: [operator('Source: numbers', { kind: 'source' })],
});
const sink = vertex('count -> discard: Writer', 2, {
  operators: [
    operator('count -> discard: Writer', { name: 'count', kind: 'reduce' }),
    operator('discard', {
      name: 'discard: Writer',
      kind: 'sink',
      inputs: [operatorId('count -> discard: Writer')],
    }),
  ],
});

const jobGraph: JobGraph = {
  ...graph('numbers', [source, sink], [edge(source, sink, 'HASH')]),
  boundedness: 'unbounded',
  code: {
    bundleHash: 'b'.repeat(64),
    job: 'numbers',
    args: { rate: 500, mode: 'stream' },
    parallelism: 1,
  },
};
export const sourceId = source.id;
export const sinkId = sink.id;

const metrics: TaskMetrics = {
  ...noTaskMetrics,
  recordsIn: 7520,
  recordsOut: 3763,
  bytesIn: 159_026,
  bytesOut: 74_361,
  lateRecords: 2,
  skippedRecords: 4,
  watermark: 1_795_371_000_123,
  watermarkLagMs: 4711,
  initializationMs: 33,
  busyMs: 308,
  idleMs: 14_640,
  backPressuredMs: 12,
};

export const failure: FailureInfo = {
  message: 'count is 10',
  stack: 'RangeError: count is 10\n    at count (src/app.ts:83:11)',
  task: 'count -> discard: Writer (1/2)',
  location: 'taskmanager-0',
};

export type Phase = 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled';
export const phases: readonly Phase[] = ['waiting', 'running', 'finished', 'failed', 'cancelled'];

/** A job that is or was in that phase: source and sink, both with parallelism 2. */
export function fakeJob(phase: Phase, changes: Partial<TaskMetrics> = {}): JobView {
  let now = startTime;
  const later = () => (now += 10);
  const machine = createJobStateMachine(later);
  machine.enter('CREATED');
  machine.enter('RUNNING');
  const executions = [source, sink].flatMap((of) =>
    [0, 1].map((subtaskIndex) => {
      const attemptId = `${of.id}_${subtaskIndex}_0`;
      return new Execution({ vertex: of, subtaskIndex, attempt: 0, attemptId, now: later });
    }),
  );
  for (const execution of executions) {
    execution.enter('SCHEDULED');
    if (phase !== 'waiting') run(execution, { ...metrics, ...changes });
  }
  if (phase === 'failed') {
    executions[2]!.enter('FAILED');
    machine.enter('FAILING');
  }
  if (phase === 'cancelled') machine.enter('CANCELLING');
  for (const execution of executions) {
    if (phase === 'waiting' || phase === 'running' || execution.ended) continue;
    if (phase === 'finished') execution.enter('FINISHED');
    else {
      execution.enter('CANCELING');
      execution.enter('CANCELED');
    }
  }
  const end = { finished: 'FINISHED', failed: 'FAILED', cancelled: 'CANCELED' } as const;
  if (phase in end) machine.enter(end[phase as keyof typeof end]);
  return createJobView({
    id: jobId,
    graph: jobGraph,
    attempt: 0,
    startTime,
    machine,
    executions,
    failure: phase === 'failed' ? failure : null,
    exceptions: phase === 'failed' ? [exceptionOf(executions[2]!, later())] : [],
    waitsFor: null,
    restartStrategy: 'Restart deactivated.',
    now: later(),
  });
}

function run(execution: Execution, values: TaskMetrics): void {
  for (const state of ['DEPLOYING', 'INITIALIZING', 'RUNNING'] as const) execution.enter(state);
  execution.metrics = values;
  execution.accumulators = { records: 2428, mean: 0.5 };
  execution.location = {
    allocationId: `a${execution.subtaskIndex}`,
    taskManager: taskManagerId,
    host: '127.0.0.1',
    dataPort: 41_907,
  };
}

const exceptionOf = (execution: Execution, timestamp: number) => ({
  timestamp,
  failure,
  taskManager: taskManagerId,
  host: '127.0.0.1',
  vertexId: execution.vertex.id,
  subtaskIndex: execution.subtaskIndex,
  attempt: 0,
});

const figures: ProcessFigures = {
  ...noFigures,
  rssBytes: 90_000_000,
  heapUsedBytes: 30_000_000,
  heapTotalBytes: 40_000_000,
  heapLimitBytes: 2_000_000_000,
  externalBytes: 5_000_000,
  nonHeapBytes: 45_000_000,
  cpuLoad: 0.125,
  cpuMs: 1234.5,
  gcCount: 7,
  gcMs: 12.5,
};

/** In memory; `binary` holds bytes that are no text. */
function fakeLogs(name: string): LogFiles {
  const files = new Map<string, Uint8Array>([
    [`${name}.log`, Buffer.from('{"message":"starts"}\n')],
    [`${name}.out`, Buffer.from([0x68, 0x69, 0xff])],
  ]);
  return {
    current: { log: `${name}.log`, out: `${name}.out` },
    list: async () =>
      Array.from(files, ([file, bytes]) => ({
        name: file,
        sizeBytes: bytes.length,
        modified: startTime,
      })),
    read: async ({ length, name: file, offset }) =>
      files.get(file)?.subarray(offset, offset + length) ?? null,
  };
}

/** With both slots in use, or none. */
function fakeTaskManager(inUse: boolean): TaskManagerView {
  return {
    id: taskManagerId,
    name: 'taskmanager-0',
    host: '127.0.0.1',
    pid: 4711,
    dataPort: inUse ? 41_907 : -1,
    registeredAt: startTime,
    lastHeartbeat: startTime + 500,
    slots: 2,
    freeSlots: inUse ? 0 : 2,
    cpuCores: 2,
    memoryBytes: 1024 ** 3,
    allocations: (inUse ? [0, 1] : []).map((slotIndex) => ({
      jobId,
      allocationId: `a${slotIndex}`,
      slotIndex,
      assignedTasks: 2,
    })),
    process: figures,
  };
}

const noBlobs: BlobStore = {
  find: async () => null,
  part: async () => ({ sizeBytes: 0, isGrowing: false }),
  put: async (_hash, content) => {
    for await (const _chunk of content) continue;
    return 'hash-differs';
  },
};

/** `phase`: of its only job, or `empty`. Commands are accepted and remembered in `commands`. */
export function fakeView(
  phase: Phase | 'empty',
  changes: Partial<ClusterView> = {},
): ClusterView & { readonly commands: string[] } {
  const commands: string[] = [];
  const jobs = phase === 'empty' ? [] : [fakeJob(phase)];
  const count = (state: string) => jobs.filter((job) => job.state === state).length;
  const accepted = (command: string): CommandResult => {
    commands.push(command);
    return { type: 'accepted' };
  };
  const inUse = phase === 'running';
  return {
    commands,
    ready: true,
    epoch: 3,
    effectiveConfig: { 'taskmanager.slots': '2', 'security.token': '******' },
    blobs: noBlobs,
    jars: null,
    now: () => startTime + 60_000,
    operations: new Operations({ now: () => startTime, monotonic: () => 0, after: () => () => {} }),
    logs: fakeLogs('jobmanager-0'),
    environment: {
      version: 'Node.js v24.0.0 (V8 13.6)',
      arch: 'x64',
      options: ['--max-old-space-size=512'],
      script: '/opt/fctl/jobmanager.js',
    },
    process: () => figures,
    threads: () => [{ name: 'main', text: '"main" Id=0 RUNNABLE\n\n' }],
    taskManagerLogs: () => fakeLogs('taskmanager-0'),
    taskManagerThreads: async () => [{ name: 'main', text: '"main" Id=0 RUNNABLE\n\n' }],
    info: () => ({
      protocol: 1,
      clusterId: 'flights',
      release: 'r1',
      epoch: 3,
      mode: 'application',
      startTime,
      application: { status: 'RUNNING', startTime, endTime: null, error: null },
    }),
    overview: () => ({
      taskManagers: 1,
      slotsTotal: 2,
      slotsAvailable: inUse ? 0 : 2,
      jobsRunning: count('RUNNING'),
      jobsFinished: count('FINISHED'),
      jobsCancelled: count('CANCELED'),
      jobsFailed: count('FAILED'),
    }),
    taskManagers: () => [fakeTaskManager(inUse)],
    jobs: () => jobs,
    job: (id) => jobs.find((job) => job.id === id) ?? null,
    document: async (name) => ({ version: '1', value: { name } }),
    submitJob: async ({ jobId: id }) => {
      commands.push(`submit ${id}`);
      return { type: 'accepted', jobId: id };
    },
    cancelJob: (id) => accepted(`cancel ${id}`),
    cancelApplication: () => accepted('cancel application'),
    jobResult: async (id) =>
      jobs.some((job) => job.id === id) ? { jobId: id, outcome: null, collected: {} } : null,
    shutDown: () => accepted('shut down'),
    jobAttempts: () => null,
    ...changes,
  };
}
