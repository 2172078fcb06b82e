/**
 * The fields of answers that must be there: what this project reads, and what identifies an answer as the
 * right one. All of them are among those that Flink's own clients need.
 */
import type { Shape } from './shape.ts';

const ioMetrics = (at: string): Shape => ({
  [`${at}/read-bytes`]: 'number',
  [`${at}/write-bytes`]: 'number',
  [`${at}/read-records`]: 'number',
  [`${at}/write-records`]: 'number',
});

const plan: Shape = {
  '/plan/jid': 'string',
  '/plan/name': 'string',
  '/plan/type': 'string',
  '/plan/nodes': 'array',
  '/plan/nodes[]/id': 'string',
  '/plan/nodes[]/parallelism': 'number',
  '/plan/nodes[]/description': 'string',
};

const taskManager = (at: string): Shape => ({
  [`${at}/id`]: 'string',
  [`${at}/slotsNumber`]: 'number',
  [`${at}/freeSlots`]: 'number',
  [`${at}/timeSinceLastHeartbeat`]: 'number',
});

export const flinkShapes = {
  config: {
    '/flink-version': 'string',
    '/flink-revision': 'string',
    '/refresh-interval': 'number',
  },
  overview: {
    '/taskmanagers': 'number',
    '/slots-total': 'number',
    '/slots-available': 'number',
    '/jobs-running': 'number',
    '/jobs-finished': 'number',
    '/jobs-cancelled': 'number',
    '/jobs-failed': 'number',
    '/flink-version': 'string',
  },
  configEntries: { '[]/key': 'string', '[]/value': 'string' },
  metrics: { '[]/id': 'string' },
  taskManagers: { '/taskmanagers': 'array', ...taskManager('/taskmanagers[]') },
  taskManager: { ...taskManager(''), '/allocatedSlots': 'array', '/metrics': 'object' },
  jobs: { '/jobs': 'array', '/jobs[]/id': 'string', '/jobs[]/status': 'string' },
  jobsOverview: {
    '/jobs': 'array',
    '/jobs[]/jid': 'string',
    '/jobs[]/name': 'string',
    '/jobs[]/state': 'string',
    '/jobs[]/start-time': 'number',
    '/jobs[]/end-time': 'number',
    '/jobs[]/duration': 'number',
    '/jobs[]/tasks/total': 'number',
  },
  job: {
    '/jid': 'string',
    '/name': 'string',
    '/state': 'string',
    '/start-time': 'number',
    '/end-time': 'number',
    '/duration': 'number',
    '/vertices': 'array',
    '/vertices[]/id': 'string',
    '/vertices[]/name': 'string',
    '/vertices[]/parallelism': 'number',
    '/vertices[]/status': 'string',
    '/vertices[]/duration': 'number',
    '/vertices[]/tasks': 'object',
    ...ioMetrics('/vertices[]/metrics'),
    ...plan,
  },
  jobStatus: { '/status': 'string' },
  jobPlan: plan,
  jobConfig: { '/jid': 'string', '/name': 'string' },
  jobExceptions: {
    '/exceptionHistory/truncated': 'boolean',
    '/exceptionHistory/entries[]/exceptionName': 'string',
    '/exceptionHistory/entries[]/stacktrace': 'string',
    '/exceptionHistory/entries[]/timestamp': 'number',
  },
  jobAccumulators: {
    '/user-task-accumulators': 'array',
    '/user-task-accumulators[]/name': 'string',
    '/user-task-accumulators[]/type': 'string',
    '/user-task-accumulators[]/value': 'string',
  },
  vertex: {
    '/id': 'string',
    '/name': 'string',
    '/parallelism': 'number',
    '/subtasks': 'array',
    '/subtasks[]/subtask': 'number',
    '/subtasks[]/status': 'string',
    '/subtasks[]/attempt': 'number',
    '/subtasks[]/endpoint': 'string',
    '/subtasks[]/taskmanager-id': 'string',
    ...ioMetrics('/subtasks[]/metrics'),
  },
} as const satisfies Readonly<Record<string, Shape>>;

export const fctlShapes = {
  cluster: {
    '/protocol': 'number',
    '/clusterId': 'string',
    '/release': 'string',
    '/epoch': 'number',
    '/mode': 'string',
    '/startTime': 'number',
  },
  jobResult: { '/jobId': 'string', '/collected': 'object' },
  jobAttempts: { '/jobId': 'string', '/state': 'string', '/attempts': 'array' },
} as const satisfies Readonly<Record<string, Shape>>;
