/** Jobs of the ClusterView in the shapes of Flink's REST API. Pure. */
import type { JobDetails, JobSummary, VertexSummary } from '../../contract/rest.ts';
import type { JobGraph } from '../../graph/job-graph.ts';
import type { JobView, SubtaskView, VertexView } from '../jobmanager/cluster-view.ts';
import type { TaskMetrics } from '../rpc/protocol.ts';

/** Flink knows this state too; nothing enters it here. */
const reconciling = { RECONCILING: 0 };

const jobType = ({ boundedness }: JobGraph) => (boundedness === 'bounded' ? 'BATCH' : 'STREAMING');

export function jobSummary(job: JobView): JobSummary {
  const counts = Object.entries({ ...job.tasks, ...reconciling });
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    jid: job.id,
    name: job.name,
    jobType: jobType(job.graph),
    schedulerType: 'Default',
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    state: job.state,
    'last-modification': job.lastModification,
    tasks: Object.fromEntries([
      ...counts.map(([state, n]) => [state.toLowerCase(), n]),
      ['total', total],
    ]),
    'pending-operators': 0,
  };
}

function ioMetrics(metrics: TaskMetrics, complete: boolean) {
  return {
    'read-bytes': metrics.bytesIn,
    'read-bytes-complete': complete,
    'write-bytes': metrics.bytesOut,
    'write-bytes-complete': complete,
    'read-records': metrics.recordsIn,
    'read-records-complete': complete,
    'write-records': metrics.recordsOut,
    'write-records-complete': complete,
    'accumulated-backpressured-time': Math.round(metrics.backPressuredMs),
    'accumulated-idle-time': Math.round(metrics.idleMs),
    'accumulated-busy-time': Math.round(metrics.busyMs),
  };
}

function vertexSummary(vertex: VertexView): VertexSummary {
  return {
    id: vertex.id,
    slotSharingGroupId: vertex.slotSharingGroup,
    name: vertex.name,
    maxParallelism: vertex.maxParallelism,
    parallelism: vertex.parallelism,
    status: vertex.state,
    'start-time': vertex.startTime,
    'end-time': vertex.endTime,
    duration: vertex.duration,
    tasks: { ...vertex.tasks, ...reconciling },
    metrics: ioMetrics(vertex.metrics, vertex.metricsComplete),
    watermark: vertex.metrics.watermark,
  };
}

export function jobDetails(job: JobView): JobDetails {
  const counts: Record<string, number> = { ...job.tasks, ...reconciling };
  for (const state of Object.keys(counts)) {
    counts[state] = job.vertices.filter((vertex) => vertex.state === state).length;
  }
  const details = {
    jid: job.id,
    'application-id': job.id,
    name: job.name,
    isStoppable: job.isStoppable,
    state: job.state,
    'job-type': jobType(job.graph),
    schedulerType: 'Default',
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    maxParallelism: job.maxParallelism,
    now: job.now,
    timestamps: job.timestamps,
    vertices: job.vertices.map(vertexSummary),
    'status-counts': counts,
    plan: jobPlan(job),
    'stream-graph': {},
    'pending-operators': 0,
  };
  return details;
}

/** The dataflow as the Web UI draws it; sinks first, as Flink lists them. */
export function jobPlan({ id, name, graph }: JobView) {
  const nodes = graph.vertices.toReversed().map((vertex) => {
    const inputs = graph.edges
      .filter((edge) => edge.targetVertex === vertex.id)
      .map((edge, num) => ({
        id: edge.sourceVertex,
        num,
        exchange: 'pipelined_bounded',
        ship_strategy: edge.partitioner,
      }));
    return {
      id: vertex.id,
      operator: '',
      parallelism: vertex.parallelism,
      operator_strategy: '',
      description: vertex.operators
        .map(
          (operator, depth) =>
            `${depth === 0 ? '' : `${'   '.repeat(depth - 1)}+- `}${operator.name}<br/>`,
        )
        .join(''),
      optimizer_properties: {},
      ...(inputs.length === 0 ? {} : { inputs }),
    };
  });
  return { jid: id, name, type: jobType(graph), nodes };
}

export function jobConfig(job: JobView) {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return {
    jid: job.id,
    name: job.name,
    'execution-config': {
      'restart-strategy': 'Restart deactivated.',
      'job-parallelism': job.parallelism,
      'object-reuse-mode': true,
      'user-config': Object.fromEntries(
        Object.entries(job.graph.code.args).map(([key, value]) => [key, text(value)]),
      ),
    },
  };
}

export function jobExceptions(job: JobView, maxExceptions: number) {
  const newestFirst = job.exceptions.toReversed();
  const entries = newestFirst.slice(0, maxExceptions).map((exception) => ({
    exceptionName: exceptionName(exception.failure.stack ?? exception.failure.message),
    stacktrace: exception.failure.stack ?? exception.failure.message,
    timestamp: exception.timestamp,
    taskName: exception.failure.task,
    endpoint: exception.host,
    taskManagerId: exception.taskManager,
    failureLabels: {},
    concurrentExceptions: [],
  }));
  return { exceptionHistory: { entries, truncated: newestFirst.length > maxExceptions } };
}

/** `TypeError` of `TypeError: x is not a function`. */
function exceptionName(text: string): string {
  return /^(?:Uncaught )?([A-Za-z_$][\w$.]*(?:Error|Exception))\b/.exec(text)?.[1] ?? 'Error';
}

export function jobAccumulators(job: JobView) {
  return {
    'job-accumulators': [],
    'user-task-accumulators': Object.entries(job.accumulators).map(([name, value]) => ({
      name,
      type: 'LongCounter',
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
    'serialized-user-task-accumulators': {},
  };
}

export function vertexDetails(vertex: VertexView, now: number) {
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now,
    subtasks: vertex.subtasks.map((subtask) => subtaskAnswer(subtask, now)),
    aggregated: aggregate(vertex.subtasks, now),
  };
}

function subtaskAnswer(subtask: SubtaskView, now: number) {
  return {
    subtask: subtask.index,
    status: subtask.state,
    attempt: subtask.attempt,
    endpoint: subtask.endpoint ?? '(unassigned)',
    'start-time': subtask.startTime,
    'end-time': subtask.endTime,
    duration: subtask.duration,
    metrics: ioMetrics(subtask.metrics, subtask.metricsComplete),
    'taskmanager-id': subtask.taskManager ?? '(unassigned)',
    'status-duration': statusDurations(subtask, now),
    start_time: subtask.startTime,
  };
}

const passing = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING'] as const;

/** How long the subtask was in each state on its way to the end. */
function statusDurations(
  { timestamps, endTime }: SubtaskView,
  now: number,
): Record<string, number> {
  const entered = passing.filter((state) => timestamps[state] > 0);
  return Object.fromEntries(
    passing.map((state) => {
      const next = entered[entered.indexOf(state) + 1];
      const until = next ? timestamps[next] : endTime > 0 ? endTime : now;
      return [state, timestamps[state] > 0 ? Math.max(0, until - timestamps[state]) : -1];
    }),
  );
}

function aggregate(subtasks: readonly SubtaskView[], now: number) {
  const of = <K extends string>(
    keys: readonly K[],
    value: (subtask: SubtaskView, key: K) => number,
  ) => Object.fromEntries(keys.map((key) => [key, statistics(subtasks.map((s) => value(s, key)))]));
  const numbers = [
    'read-bytes',
    'write-bytes',
    'read-records',
    'write-records',
    'accumulated-backpressured-time',
    'accumulated-idle-time',
    'accumulated-busy-time',
  ] as const;
  return {
    metrics: of(numbers, (s, key) => ioMetrics(s.metrics, true)[key]),
    'status-duration': of(passing, (s, key) => statusDurations(s, now)[key] ?? 0),
  };
}

function statistics(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    min: at(0),
    max: sorted.at(-1) ?? 0,
    avg: sorted.length === 0 ? 0 : Math.floor(sum / sorted.length),
    sum,
    median: at(0.5),
    p25: at(0.25),
    p75: at(0.75),
    p95: at(0.95),
  };
}
