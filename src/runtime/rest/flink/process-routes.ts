/** The cluster, and its processes: configuration, logs, threads. */
import { dashboardConfig, jobManagerConfig, overview } from '../answers/cluster.ts';
import { environmentInfo, logList, threadDump } from '../answers/process.ts';
import { taskManagerDetails, taskManagerInfo } from '../answers/task-manager.ts';
import { jsonBody } from '../checks.ts';
import type { LogFiles } from '../../jobmanager/views/cluster-view.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import { HttpError } from '../http-error.ts';
import { readLogText } from '../logs.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';
import { findNamedTaskManager, requireTaskManager } from './find.ts';

/** What a TaskManager is asked for may fail with it. @throws HttpError 404. */
async function asked<T>({ params }: RestRequest, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new HttpError(
      404,
      `TaskExecutor ${params['taskmanagerid']} did not answer: ${error.message}`,
    );
  }
}

async function logText(logs: LogFiles, name: string, missing: string): Promise<RestAnswer> {
  const text = await readLogText(logs, name);
  if (text === null) throw new HttpError(404, missing);
  return { status: 200, text, contentType: 'text/plain' };
}

/** Of a process that has printed nothing yet. */
async function currentText(logs: LogFiles, which: 'log' | 'out'): Promise<RestAnswer> {
  const text = await readLogText(logs, logs.current[which]);
  return { status: 200, text: text ?? '', contentType: 'text/plain' };
}

const noLog = 'This file does not exist in JobManager log dir.';
const jobManagerLog = ({ params, view }: RestRequest) =>
  logText(view.logs, params['filename']!, noLog);

function taskManagerLogs(request: RestRequest): LogFiles {
  const found = findNamedTaskManager(request);
  if (found !== null) return request.view.taskManagerLogs(found.id);
  const name = request.params['taskmanagerid'];
  throw new HttpError(
    404,
    `Failed to transfer file from TaskExecutor ${name} because it was unknown.`,
  );
}

function taskManagerLog(request: RestRequest): Promise<RestAnswer> {
  const { filename } = request.params;
  const missing = `The file ${filename} does not exist on the TaskExecutor.`;
  return asked(request, logText(taskManagerLogs(request), filename!, missing));
}

async function taskManagerLogList(request: RestRequest): Promise<RestAnswer> {
  const { id } = requireTaskManager(request);
  return ok(logList(await asked(request, request.view.taskManagerLogs(id).list())));
}

async function taskManagerThreads(request: RestRequest): Promise<RestAnswer> {
  const { id } = requireTaskManager(request);
  return ok(threadDump(await asked(request, request.view.taskManagerThreads(id))));
}

const noProfiles = () => ok({ profilingList: [] });

function noProfile(): never {
  throw new HttpError(404, noLog);
}

async function noProfiler(request: RestRequest): Promise<RestAnswer> {
  await jsonBody(request, 'ProfilingRequestBody', { mode: 'string', duration: 'number' });
  throw new HttpError(
    400,
    'There is no profiler. Start the processes with NODE_OPTIONS=--cpu-prof to profile them.',
  );
}

const taskManager = '/taskmanagers/:taskmanagerid';

export const processRoutes: readonly Route[] = [
  get('/config', ({ view }) => ok(dashboardConfig(view))),
  get('/overview', ({ view }) => ok(overview(view))),
  get('/jobmanager/config', ({ view }) => ok(jobManagerConfig(view))),
  get('/jobmanager/environment', ({ view }) => ok(environmentInfo(view.environment))),
  get('/jobmanager/log', ({ view }) => currentText(view.logs, 'log')),
  get('/jobmanager/stdout', ({ view }) => currentText(view.logs, 'out')),
  get('/jobmanager/logs', async ({ view }) => ok(logList(await view.logs.list()))),
  get('/jobmanager/logs/:filename', jobManagerLog),
  get('/jobmanager/thread-dump', ({ view }) => ok(threadDump(view.threads()))),
  get('/jobmanager/profiler', noProfiles),
  { method: 'POST', pattern: '/jobmanager/profiler', handle: noProfiler },
  get('/jobmanager/profiler/:filename', noProfile),
  get('/taskmanagers', ({ view }) =>
    ok({ taskmanagers: view.taskManagers().map(taskManagerInfo) }),
  ),
  get(taskManager, (request) => ok(taskManagerDetails(requireTaskManager(request)))),
  get(`${taskManager}/log`, (request) =>
    asked(request, currentText(taskManagerLogs(request), 'log')),
  ),
  get(`${taskManager}/stdout`, (request) =>
    asked(request, currentText(taskManagerLogs(request), 'out')),
  ),
  get(`${taskManager}/logs`, taskManagerLogList),
  get(`${taskManager}/logs/:filename`, taskManagerLog),
  get(`${taskManager}/thread-dump`, taskManagerThreads),
  get(`${taskManager}/profiler`, (request) => {
    requireTaskManager(request);
    return noProfiles();
  }),
  {
    method: 'POST',
    pattern: `${taskManager}/profiler`,
    handle: (request) => {
      requireTaskManager(request);
      return noProfiler(request);
    },
  },
  get(`${taskManager}/profiler/:filename`, (request) => {
    requireTaskManager(request);
    return noProfile();
  }),
];
