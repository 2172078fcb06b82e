/** Jobs: what is read of them, how they are cancelled, and what is refused. */
import { jobAccumulators } from '../answers/accumulators.ts';
import { applicationIdOf } from '../answers/applications.ts';
import { jobManagerConfig } from '../answers/cluster.ts';
import { jobExceptions } from '../answers/exceptions.ts';
import { executionResult } from '../answers/execution-result.ts';
import { jobConfig, jobDetails, resourceRequirements } from '../answers/job.ts';
import { jobSummary } from '../answers/job-summary.ts';
import { jobPlan } from '../answers/plan.ts';
import { environmentInfo } from '../answers/process.ts';
import { accepted, checkEpoch, hexId, jsonBody, namesOf, wholeNumber } from '../checks.ts';
import { badParameter, HttpError } from '../http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';
import { requireJob } from './find.ts';

const defaultExceptions = 20;

function cancelJob(request: RestRequest, mode = request.query.get('mode') ?? 'cancel'): RestAnswer {
  checkEpoch(request);
  const id = hexId(request, 'jobid');
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

function details(request: RestRequest): RestAnswer {
  const job = requireJob(request);
  return ok(jobDetails(job, applicationIdOf(job, request.view)));
}

function exceptions(request: RestRequest): RestAnswer {
  const maxExceptions = wholeNumber(request, 'maxExceptions', defaultExceptions);
  const labels = new Map(
    namesOf(request, 'failureLabelFilter')?.map((text) => {
      const [, key, value] = /^([^:]+):(.*)$/s.exec(text) ?? [];
      if (key === undefined) throw badParameter('query', 'failureLabelFilter', text);
      return [key, value!] as const;
    }),
  );
  return ok(jobExceptions(requireJob(request), maxExceptions, labels));
}

function accumulators(request: RestRequest): RestAnswer {
  const serialized = request.query.get('includeSerializedValue');
  if (serialized !== null && !/^(?:true|false)$/i.test(serialized)) {
    throw badParameter('query', 'includeSerializedValue', serialized);
  }
  return ok(jobAccumulators(requireJob(request)));
}

/** Pages of the Web UI, which is wherever the request came to. */
function logUrl(request: RestRequest, page: string): RestAnswer {
  requireJob(request);
  return ok({ url: `http://${request.header('host') ?? 'localhost'}/#/${page}/logs` });
}

/** Flink cancels jobs whose attached client falls silent; here jobs outlive their clients. */
async function clientHeartbeat(request: RestRequest): Promise<RestAnswer> {
  hexId(request, 'jobid');
  await jsonBody(request, 'JobClientHeartbeatRequestBody', { expiredTimestamp: 'number' });
  return { status: 202, body: {} };
}

async function updateRequirements(request: RestRequest): Promise<RestAnswer> {
  checkEpoch(request);
  const wanted = await jsonBody(request, 'JobResourceRequirementsBody', {});
  checkRequirements(wanted);
  const vertices = Object.keys(resourceRequirements(requireJob(request)));
  const problems = [
    ...Object.keys(wanted)
      .filter((id) => !vertices.includes(id))
      .map((id) => `Job vertex [${id}] was not found in the JobGraph.`),
    ...vertices
      .filter((id) => !Object.hasOwn(wanted, id))
      .map((id) => `The request is incomplete, missing job vertex [${id}] resource requirements.`),
  ];
  if (problems.length > 0) throw new HttpError(400, problems.join('\n'));
  throw rescalingRefused();
}

/** @throws HttpError 400 for what is no requirement, in the words of Flink. */
function checkRequirements(wanted: Readonly<Record<string, unknown>>): void {
  const all = Object.values(wanted);
  if (all.length === 0) {
    throw new HttpError(400, 'Request body does not specify resource requirements.');
  }
  for (const value of all) {
    const { parallelism } = Object(value) as { readonly parallelism?: unknown };
    const { lowerBound, upperBound } = Object(parallelism) as Readonly<Record<string, unknown>>;
    if (typeof lowerBound === 'number' && typeof upperBound === 'number') continue;
    throw new HttpError(400, 'Request did not match expected format JobResourceRequirementsBody.');
  }
}

const rescalingRefused = () =>
  new HttpError(
    400,
    'This JobManager does not change the parallelism of a job while it runs: cancel the job and submit it again with another one.',
  );

/** What only Flink's adaptive scheduler answers. */
function rescales(request: RestRequest): never {
  const { id } = requireJob(request);
  throw new HttpError(404, `AdaptiveScheduler is not enabled for this job (${id}).`);
}

/** The body is not read: whatever it is, it is a program for Java. */
function submitJavaJob(): never {
  throw new HttpError(
    400,
    "This JobManager cannot run Java job graphs; it runs applications in TypeScript. Deploy one with 'fctl deploy', or run this job on an Apache Flink cluster.",
  );
}

/** How the Web UI cancels: a proxy of YARN lets nothing but GET through. Flink lists it nowhere. */
const byGet = (mode: string, handle: Route['handle']): Route => ({
  ...get(`/jobs/:jobid/yarn-${mode}`, handle),
  isCommand: true,
});

const job = '/jobs/:jobid';

export const jobRoutes: readonly Route[] = [
  get('/jobs', ({ view }) =>
    ok({ jobs: view.jobs().map(({ id, state }) => ({ id, status: state })) }),
  ),
  get('/jobs/overview', ({ view }) => ok({ jobs: view.jobs().map(jobSummary) })),
  { method: 'POST', pattern: '/jobs', handle: submitJavaJob },
  get(job, details),
  { method: 'PATCH', pattern: job, handle: (request) => cancelJob(request) },
  byGet('cancel', (request) => cancelJob(request, 'cancel')),
  byGet('stop', (request) => cancelJob(request, 'stop')),
  get(`${job}/status`, (request) => ok({ status: requireJob(request).state })),
  get(`${job}/plan`, (request) => {
    const { graph, id } = requireJob(request);
    return ok({ plan: jobPlan(id, graph) });
  }),
  get(`${job}/config`, (request) => ok(jobConfig(requireJob(request)))),
  get(`${job}/exceptions`, exceptions),
  get(`${job}/accumulators`, accumulators),
  get(`${job}/execution-result`, (request) => {
    const found = requireJob(request);
    return ok(executionResult(found, applicationIdOf(found, request.view)));
  }),
  get(`${job}/jobmanager/config`, (request) => {
    requireJob(request);
    return ok(jobManagerConfig(request.view));
  }),
  get(`${job}/jobmanager/environment`, (request) => {
    requireJob(request);
    return ok(environmentInfo(request.view.environment));
  }),
  get(`${job}/jobmanager/log-url`, (request) => logUrl(request, 'job-manager')),
  get(`${job}/taskmanagers/:taskmanagerid/log-url`, (request) =>
    logUrl(request, `task-manager/${encodeURIComponent(request.params['taskmanagerid']!)}`),
  ),
  get(`${job}/resource-requirements`, (request) => ok(resourceRequirements(requireJob(request)))),
  { method: 'PUT', pattern: `${job}/resource-requirements`, handle: updateRequirements },
  get(`${job}/rescales/config`, rescales),
  get(`${job}/rescales/overview`, rescales),
  get(`${job}/rescales/summary`, rescales),
  get(`${job}/rescales/history`, rescales),
  get(`${job}/rescales/details/:rescaleuuid`, rescales),
  { method: 'PATCH', pattern: `${job}/clientHeartbeat`, handle: clientHeartbeat },
];
