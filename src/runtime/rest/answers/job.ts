/** Jobs in the shapes of Flink's REST API. Pure. */
import { LOST } from '../../../contract/documents.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type {
  JobAccumulators,
  JobConfig,
  JobDetails,
  JobExceptions,
  JobSummary,
} from '../../../contract/rest.ts';
import type { ExceptionView, JobView } from '../../jobmanager/cluster-view.ts';
import { jobPlan, jobType } from './plan.ts';
import { taskManagerRestId } from './task-manager.ts';
import { vertexSummary, withReconciling } from './vertex.ts';

const SCHEDULER = 'Default';

export function jobSummary(job: JobView): JobSummary {
  const counts = Object.entries(withReconciling(job.tasks));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    jid: job.id,
    name: job.name,
    jobType: jobType(job.graph),
    schedulerType: SCHEDULER,
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    state: job.state,
    ...lost(job),
    'last-modification': job.lastModification,
    tasks: Object.fromEntries([
      ...counts.map(([state, count]) => [state.toLowerCase(), count]),
      ['total', total],
    ]),
    'pending-operators': 0,
  };
}

export function jobDetails(job: JobView): JobDetails {
  return {
    jid: job.id,
    'application-id': job.id,
    name: job.name,
    isStoppable: job.isStoppable,
    state: job.state,
    ...lost(job),
    'job-type': jobType(job.graph),
    schedulerType: SCHEDULER,
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    maxParallelism: job.maxParallelism,
    now: job.now,
    timestamps: job.timestamps,
    vertices: job.vertices.map((vertex) => vertexSummary(vertex, job.id)),
    'status-counts': countVertices(job),
    plan: jobPlan(job.id, job.graph),
    'pending-operators': 0,
  };
}

/** Flink knows no such state, and its clients end at one that they do not know. */
const lost = ({ isLost }: JobView) => (isLost ? { 'fctl-state': LOST } : {});

function countVertices({ tasks, vertices }: JobView): Record<string, number> {
  const states = Object.keys(withReconciling(tasks));
  return Object.fromEntries(
    states.map((state) => [state, vertices.filter((vertex) => vertex.state === state).length]),
  );
}

export function jobConfig(job: JobView): JobConfig {
  return {
    jid: job.id,
    name: job.name,
    'execution-config': {
      'restart-strategy': 'Restart deactivated.',
      'job-parallelism': job.parallelism,
      'object-reuse-mode': true,
      'user-config': Object.fromEntries(
        Object.entries(job.graph.code.args).map(([key, value]) => [key, textOf(value)]),
      ),
    },
  };
}

export function jobExceptions({ exceptions }: JobView, maxExceptions: number): JobExceptions {
  const newestFirst = exceptions.toReversed();
  return {
    exceptionHistory: {
      entries: newestFirst.slice(0, maxExceptions).map(exceptionEntry),
      truncated: newestFirst.length > maxExceptions,
    },
  };
}

function exceptionEntry({ failure, host, taskManager, timestamp }: ExceptionView) {
  const stacktrace = failure.stack ?? failure.message;
  return {
    exceptionName: exceptionName(stacktrace),
    stacktrace,
    timestamp,
    failureLabels: {},
    ...(failure.task === null ? {} : { taskName: failure.task }),
    ...(host === null ? {} : { endpoint: host }),
    ...(taskManager === null ? {} : { taskManagerId: taskManagerRestId(taskManager) }),
    concurrentExceptions: [],
  };
}

/** `TypeError` of `TypeError: x is not a function`. */
function exceptionName(text: string): string {
  return /^(?:Uncaught )?([A-Za-z_$][\w$.]*(?:Error|Exception))\b/.exec(text)?.[1] ?? 'Error';
}

export function jobAccumulators({ accumulators }: JobView): JobAccumulators {
  return {
    'job-accumulators': [],
    'user-task-accumulators': Object.entries(accumulators).map(([name, value]) => ({
      name,
      type: accumulatorType(value),
      value: textOf(value),
    })),
    'serialized-user-task-accumulators': {},
  };
}

/** Flink names the class. */
function accumulatorType(value: JsonValue): string {
  if (typeof value !== 'number') return 'SimpleAccumulator';
  return Number.isInteger(value) ? 'LongCounter' : 'DoubleCounter';
}

const textOf = (value: JsonValue) => (typeof value === 'string' ? value : JSON.stringify(value));
