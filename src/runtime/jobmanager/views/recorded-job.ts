/** Jobs of earlier JobManagers, as REST shows them. Pure. */
import {
  type FailureInfo,
  type JobOutcome,
  LOST,
  type RecordedAttempt,
} from '../../../contract/outcome.ts';
import { taskMetricsOf } from '../../../contract/metrics/task-metrics.ts';
import { createFailure } from '../../../contract/failure.ts';
import type { RecordedJob } from '../../../record/documents.ts';
import { JOB_GRAPH_VERSION, type JobGraph } from '../../../graph/job-graph.ts';
import { ExecutionState } from '../../rpc/protocol.ts';
import type { ExceptionView, JobView, VertexView } from './cluster-view.ts';
import { allExecutionStates } from '../scheduler/execution.ts';
import { allJobStatuses, JobStatus } from '../scheduler/job-status.ts';

/** How the job ended; of a lost one, what can be said. */
export function outcomeOf(job: RecordedJob): JobOutcome {
  const { id, name, outcome, startTime } = job;
  return (
    outcome ?? {
      id,
      name,
      state: LOST,
      startTime,
      endTime: job.attempts.at(-1)?.endTime ?? startTime,
      error: lossOf(job.attempts.at(-1)),
      accumulators: {},
      vertices: [],
    }
  );
}

function lossOf(attempt: RecordedAttempt | undefined): FailureInfo {
  const message =
    `the JobManager of epoch ${attempt?.epoch ?? 0} was lost while the job ran, and with it the job: ` +
    'submit it again';
  return createFailure(message, { location: 'jobmanager' });
}

/** Flink has no word for lost: its nearest one is that the job failed. */
export function stateOf({ outcome }: RecordedJob, mayResume: boolean): JobStatus {
  if (outcome !== null) return outcome.state as JobStatus;
  return mayResume ? JobStatus.suspended : JobStatus.failed;
}

/**
 * @param mayResume whether `main()` will start it again.
 * @param now epoch milliseconds.
 */
export function viewRecordedJob(job: RecordedJob, mayResume: boolean, now: number): JobView {
  const { outcome, startTime } = job;
  const end = outcomeOf(job);
  const state = stateOf(job, mayResume);
  const vertices = job.vertices.map((vertex) => viewVertex(vertex, job));
  const tasks = noTasks();
  for (const vertex of vertices) tasks[vertex.state] += vertex.parallelism;
  return {
    id: job.id,
    name: job.name,
    state,
    isLost: outcome === null && !mayResume,
    attempt: job.attempts.at(-1)?.attempt ?? 0,
    isStoppable: false,
    startTime,
    endTime: mayResume ? -1 : end.endTime,
    duration: (mayResume ? now : end.endTime) - startTime,
    lastModification: end.endTime,
    now,
    maxParallelism: Math.max(...job.vertices.map((v) => v.maxParallelism)),
    parallelism: Math.max(...job.vertices.map((v) => v.parallelism)),
    timestamps: {
      ...(Object.fromEntries(allJobStatuses.map((status) => [status, 0])) as Record<
        JobStatus,
        number
      >),
      [JobStatus.initializing]: startTime,
      [state]: end.endTime,
    },
    graph: graphOf(job),
    vertices,
    tasks,
    failure: end.error,
    exceptions: exceptionsOf(job),
    waitsFor: null,
    restartStrategy: 'Cluster level default restart strategy',
    accumulators: end.accumulators,
  };
}

/** What led to its end, and every JobManager that was lost with it; oldest first. */
function exceptionsOf({ attempts, outcome }: RecordedJob): ExceptionView[] {
  const view = (failure: FailureInfo, timestamp: number): ExceptionView => ({
    timestamp,
    failure,
    taskManager: null,
    host: null,
    vertexId: null,
    subtaskIndex: null,
    attempt: null,
  });
  const losses = attempts
    .filter(({ state }) => state === LOST)
    .map((attempt) => view(lossOf(attempt), attempt.endTime ?? attempt.startTime));
  return outcome?.error ? [...losses, view(outcome.error, outcome.endTime)] : losses;
}

/** Operators are not recorded, so its vertices have none and there are no edges between them. */
function graphOf({ boundedness, graphHash, name, vertices }: RecordedJob): JobGraph {
  return {
    version: JOB_GRAPH_VERSION,
    name,
    boundedness,
    code: { bundleHash: '', job: name, args: {}, parallelism: 1 },
    vertices: vertices.map(({ stateful: _one, ...v }) => ({
      ...v,
      slotSharingGroup: 'default',
      operators: [],
    })),
    edges: [],
    hash: graphHash,
  };
}

function viewVertex(
  { stateful: _some, ...vertex }: RecordedJob['vertices'][number],
  job: RecordedJob,
): VertexView {
  const ended = job.outcome?.vertices.find(({ id }) => id === vertex.id);
  const state = (ended?.state ?? ExecutionState.canceled) as ExecutionState;
  const { endTime } = outcomeOf(job);
  return {
    ...vertex,
    slotSharingGroup: 'default',
    state,
    startTime: job.startTime,
    endTime,
    duration: endTime - job.startTime,
    tasks: { ...noTasks(), [state]: vertex.parallelism },
    metrics: taskMetricsOf(ended ?? {}),
    metricsComplete: ended !== undefined,
    accumulators: {},
    subtasks: [],
  };
}

function noTasks(): Record<ExecutionState, number> {
  return Object.fromEntries(allExecutionStates.map((state) => [state, 0])) as Record<
    ExecutionState,
    number
  >;
}
