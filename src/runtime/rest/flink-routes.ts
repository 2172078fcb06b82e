/** Flink's REST API v1: which request is answered by what. Paths, meanings and words are Flink's. */
import type { JobView, TaskManagerView, VertexView } from '../jobmanager/cluster-view.ts';
import { dashboardConfig, jobManagerConfig, overview } from './answers/cluster.ts';
import {
  jobAccumulators,
  jobConfig,
  jobDetails,
  jobExceptions,
  jobSummary,
} from './answers/job.ts';
import {
  jobManagerMetrics,
  jobMetrics,
  metricAnswer,
  taskManagerMetrics,
  vertexMetrics,
  vertexWatermarks,
} from './answers/metrics.ts';
import { jobPlan } from './answers/plan.ts';
import { findTaskManager, taskManagerDetails, taskManagerInfo } from './answers/task-manager.ts';
import { vertexDetails } from './answers/vertex.ts';
import { accepted, checkEpoch, hexId, wholeNumber } from './checks.ts';
import { badParameter, HttpError } from './http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from './router.ts';

const defaultExceptions = 20;

function findJob(request: RestRequest): JobView | null {
  return request.view.job(hexId(request, 'jobid'));
}

function job(request: RestRequest): JobView {
  const found = findJob(request);
  if (found === null) throw new HttpError(404, `Job ${hexId(request, 'jobid')} not found`);
  return found;
}

const vertexOf = (jobView: JobView | null, id: string): VertexView | null =>
  jobView?.vertices.find((vertex) => vertex.id === id) ?? null;

function vertex(request: RestRequest, jobView: JobView): VertexView {
  const id = hexId(request, 'vertexid');
  const found = vertexOf(jobView, id);
  if (found === null) throw new HttpError(404, `JobVertex ${id} not found`);
  return found;
}

function findOne({ view, params }: RestRequest): TaskManagerView | null {
  return findTaskManager(view.taskManagers(), params['taskmanagerid']!);
}

/** Flink answers 500 to an unknown one. */
function taskManager(request: RestRequest): TaskManagerView {
  const found = findOne(request);
  if (found !== null) return found;
  throw new HttpError(404, `Could not find TaskExecutor ${request.params['taskmanagerid']}`);
}

function cancelJob(request: RestRequest): RestAnswer {
  checkEpoch(request);
  const id = hexId(request, 'jobid');
  const mode = request.query.get('mode') ?? 'cancel';
  if (mode === 'stop') {
    // Flink redirects (308), to nowhere.
    throw new HttpError(
      400,
      'The termination mode "stop" has been removed. For an ungraceful shutdown, please use "cancel" instead.',
    );
  }
  if (mode !== 'cancel') throw badParameter('query', 'mode', mode);
  return accepted(request.view.cancelJob(id));
}

/** Flink knows no metrics of what it does not know: an empty list, no 404. */
function metrics(
  request: RestRequest,
  values: Parameters<typeof metricAnswer>[0] | null,
): RestAnswer {
  return ok(metricAnswer(values ?? {}, request.query.get('get')));
}

function vertexMetricsAnswer(request: RestRequest): RestAnswer {
  const found = findJob(request);
  const id = hexId(request, 'vertexid');
  const of = vertexOf(found, id);
  return metrics(request, of && vertexMetrics(of, graphVertex(found, id)));
}

function watermarks(request: RestRequest): RestAnswer {
  const found = job(request);
  const of = vertex(request, found);
  return ok(vertexWatermarks(of, graphVertex(found, of.id)));
}

const graphVertex = (jobView: JobView | null, id: string) =>
  jobView?.graph.vertices.find((v) => v.id === id);

function vertexAnswer(request: RestRequest): RestAnswer {
  const found = job(request);
  return ok(vertexDetails(vertex(request, found), found.now));
}

const clusterRoutes: readonly Route[] = [
  get('/config', () => ok(dashboardConfig())),
  get('/overview', ({ view }) => ok(overview(view))),
  get('/jobmanager/config', ({ view }) => ok(jobManagerConfig(view))),
  get('/jobmanager/metrics', (request) =>
    metrics(request, jobManagerMetrics(request.view, process.memoryUsage())),
  ),
  get('/taskmanagers', ({ view }) =>
    ok({ taskmanagers: view.taskManagers().map(taskManagerInfo) }),
  ),
  get('/taskmanagers/:taskmanagerid', (request) => ok(taskManagerDetails(taskManager(request)))),
  get('/taskmanagers/:taskmanagerid/metrics', (request) => {
    const found = findOne(request);
    return metrics(request, found && taskManagerMetrics(found));
  }),
];

const jobRoutes: readonly Route[] = [
  get('/jobs', ({ view }) =>
    ok({ jobs: view.jobs().map(({ id, state }) => ({ id, status: state })) }),
  ),
  get('/jobs/overview', ({ view }) => ok({ jobs: view.jobs().map(jobSummary) })),
  get('/jobs/:jobid', (request) => ok(jobDetails(job(request)))),
  { method: 'PATCH', pattern: '/jobs/:jobid', handle: cancelJob },
  get('/jobs/:jobid/status', (request) => ok({ status: job(request).state })),
  get('/jobs/:jobid/plan', (request) => {
    const { id, graph } = job(request);
    return ok({ plan: jobPlan(id, graph) });
  }),
  get('/jobs/:jobid/config', (request) => ok(jobConfig(job(request)))),
  get('/jobs/:jobid/exceptions', (request) => {
    const maxExceptions = wholeNumber(request, 'maxExceptions', defaultExceptions);
    return ok(jobExceptions(job(request), maxExceptions));
  }),
  get('/jobs/:jobid/accumulators', (request) => ok(jobAccumulators(job(request)))),
  get('/jobs/:jobid/metrics', (request) => {
    const found = findJob(request);
    return metrics(request, found && jobMetrics(found));
  }),
  get('/jobs/:jobid/vertices/:vertexid', vertexAnswer),
  get('/jobs/:jobid/vertices/:vertexid/metrics', vertexMetricsAnswer),
  get('/jobs/:jobid/vertices/:vertexid/watermarks', watermarks),
];

export const flinkRoutes: readonly Route[] = [...clusterRoutes, ...jobRoutes];
