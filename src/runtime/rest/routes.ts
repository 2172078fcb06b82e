/** Which request is answered by what. Paths and meanings are Flink's; ours are below `/fctl/v1`. */
import type { SubmitJobRequest } from '../../contract/fctl-rest.ts';
import { READY_PATH } from '../../contract/runtime-config.ts';
import {
  type CommandResult,
  EPOCH_HEADER,
  type JobView,
  type TaskManagerView,
  type VertexView,
} from '../jobmanager/cluster-view.ts';
import {
  dashboardConfig,
  jobManagerConfig,
  overview,
  taskManagerDetails,
  taskManagerInfo,
} from './cluster-answers.ts';
import { HttpError } from './http-error.ts';
import {
  jobAccumulators,
  jobConfig,
  jobDetails,
  jobExceptions,
  jobPlan,
  jobSummary,
  vertexDetails,
} from './job-answers.ts';
import {
  jobManagerMetrics,
  jobMetrics,
  metricAnswer,
  taskManagerMetrics,
  vertexMetrics,
  vertexWatermarks,
} from './metric-answers.ts';
import type { RestAnswer, RestRequest, Route } from './router.ts';

const maxWaitMs = 60_000;
const ok = (body: unknown): RestAnswer => ({ status: 200, body });
const get = (pattern: string, handle: Route['handle']): Route => ({
  method: 'GET',
  pattern,
  handle,
});

function jobId({ params }: RestRequest): string {
  const id = params['jobid']!;
  if (/^[0-9a-f]{32}$/i.test(id)) return id.toLowerCase();
  throw new HttpError(
    400,
    `Bad request, could not parse parameters: Cannot resolve path parameter (jobid) from value "${id}".`,
  );
}

function job(request: RestRequest): JobView {
  const id = jobId(request);
  const found = request.view.job(id);
  if (found === null) throw new HttpError(404, `Job ${id} not found`);
  return found;
}

function vertex(request: RestRequest): VertexView {
  const id = request.params['vertexid']!;
  const found = job(request).vertices.find((v) => v.id === id);
  if (!found) throw new HttpError(404, `JobVertex ${id} not found`);
  return found;
}

function taskManager({ view, params }: RestRequest): TaskManagerView {
  const id = params['taskmanagerid']!;
  const found = view.taskManagers().find((tm) => tm.id === id || tm.name === id);
  if (!found) throw new HttpError(404, `Could not find TaskManager ${id}`);
  return found;
}

/** A number of a query; `fallback` when it is not given. @throws HttpError 400. */
function number({ query }: RestRequest, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HttpError(
    400,
    `Bad request, could not parse parameters: Cannot resolve query parameter (${name}) from value "${text}".`,
  );
}

const refusals = { invalid: 400, 'not-found': 404, conflict: 409, unavailable: 503 } as const;

function accepted(result: CommandResult, body: unknown = {}): RestAnswer {
  if (result.type === 'accepted') return { status: 202, body };
  throw new HttpError(refusals[result.reason], result.message);
}

/** A client that believes in another leader gives commands to nobody. */
function checkEpoch({ view, incoming }: RestRequest): void {
  const epoch = incoming.headers[EPOCH_HEADER];
  if (epoch === undefined || epoch === String(view.epoch)) return;
  throw new HttpError(
    409,
    `This is the JobManager of epoch ${view.epoch}, not of ${String(epoch)}`,
  );
}

function cancelJob(request: RestRequest): RestAnswer {
  checkEpoch(request);
  const id = jobId(request);
  const mode = request.query.get('mode') ?? 'cancel';
  if (mode !== 'cancel') {
    throw new HttpError(400, `Mode '${mode}' is not supported: only 'cancel' is.`);
  }
  return accepted(request.view.cancelJob(id));
}

async function submitJob(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const body = (await request.json()) as Partial<SubmitJobRequest> | null;
  const id = body?.jobId;
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) {
    throw new HttpError(400, 'jobId must be 32 hex digits');
  }
  return accepted(await request.view.submitJob(body as SubmitJobRequest), { jobId: id });
}

async function jobResult(request: RestRequest): Promise<RestAnswer> {
  const id = jobId(request);
  const waitMs = Math.min(maxWaitMs, number(request, 'wait', 0));
  const result = await request.view.jobResult(id, waitMs);
  if (result === null) throw new HttpError(404, `Job ${id} not found`);
  return ok(result);
}

function blobHash({ params }: RestRequest): string {
  const hash = params['hash']!;
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  throw new HttpError(400, 'A blob is named by the SHA-256 of its content, in hex.');
}

async function readBlob(request: RestRequest): Promise<RestAnswer> {
  const hash = blobHash(request);
  const found = await request.view.blobs.find(hash);
  if (found === null) throw new HttpError(404, `There is no blob ${hash}`);
  return { status: 200, ...found };
}

async function writeBlob(request: RestRequest): Promise<RestAnswer> {
  const result = await request.view.blobs.put(blobHash(request), request.incoming);
  if (result === 'hash-differs') throw new HttpError(400, 'The content does not have this hash.');
  return { status: result === 'created' ? 201 : 200, body: {} };
}

function ready({ view }: RestRequest): RestAnswer {
  if (!view.ready) throw new HttpError(503, 'This JobManager does not lead yet.');
  return ok({});
}

const metricsOf = (metrics: Readonly<Record<string, number>>, { query }: RestRequest) =>
  ok(metricAnswer(metrics, query.get('get')));

export const routes: readonly Route[] = [
  get('/config', () => ok(dashboardConfig())),
  get('/overview', ({ view }) => ok(overview(view))),
  get('/jobmanager/config', ({ view }) => ok(jobManagerConfig(view))),
  get('/jobmanager/metrics', (request) => metricsOf(jobManagerMetrics(request.view), request)),
  get('/taskmanagers', ({ view }) =>
    ok({ taskmanagers: view.taskManagers().map(taskManagerInfo) }),
  ),
  get('/taskmanagers/:taskmanagerid', (request) => ok(taskManagerDetails(taskManager(request)))),
  get('/taskmanagers/:taskmanagerid/metrics', (request) =>
    metricsOf(taskManagerMetrics(taskManager(request)), request),
  ),
  get('/jobs', ({ view }) =>
    ok({ jobs: view.jobs().map(({ id, state }) => ({ id, status: state })) }),
  ),
  get('/jobs/overview', ({ view }) => ok({ jobs: view.jobs().map(jobSummary) })),
  get('/jobs/:jobid', (request) => ok(jobDetails(job(request)))),
  get('/jobs/:jobid/status', (request) => ok({ status: job(request).state })),
  get('/jobs/:jobid/plan', (request) => ok({ plan: jobPlan(job(request)) })),
  get('/jobs/:jobid/config', (request) => ok(jobConfig(job(request)))),
  get('/jobs/:jobid/exceptions', (request) =>
    ok(jobExceptions(job(request), number(request, 'maxExceptions', 20))),
  ),
  get('/jobs/:jobid/accumulators', (request) => ok(jobAccumulators(job(request)))),
  get('/jobs/:jobid/metrics', (request) => metricsOf(jobMetrics(job(request)), request)),
  get('/jobs/:jobid/vertices/:vertexid', (request) =>
    ok(vertexDetails(vertex(request), job(request).now)),
  ),
  get('/jobs/:jobid/vertices/:vertexid/metrics', (request) =>
    metricsOf(vertexMetrics(vertex(request)), request),
  ),
  get('/jobs/:jobid/vertices/:vertexid/watermarks', (request) =>
    ok(vertexWatermarks(vertex(request))),
  ),
  { method: 'PATCH', pattern: '/jobs/:jobid', handle: cancelJob },

  get(READY_PATH, ready),
  get('/fctl/v1/cluster', ({ view }) => ok(view.info())),
  { method: 'POST', pattern: '/fctl/v1/jobs', handle: submitJob },
  get('/fctl/v1/jobs/:jobid/result', jobResult),
  {
    method: 'POST',
    pattern: '/fctl/v1/cancel',
    handle: (request) => {
      checkEpoch(request);
      return accepted(request.view.cancelApplication());
    },
  },
  get('/fctl/v1/blobs/:hash', readBlob),
  { method: 'HEAD', pattern: '/fctl/v1/blobs/:hash', handle: readBlob },
  { method: 'PUT', pattern: '/fctl/v1/blobs/:hash', handle: writeBlob },
];
