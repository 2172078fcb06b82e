/** Our answers against those of a real Flink. */
import type { JobDetails } from '../../../src/contract/rest.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { processMetricRows } from '../../../src/contract/metrics/process-metrics.ts';
import { taskMetricRows } from '../../../src/contract/metrics/task-metrics.ts';
import { findShapeProblem } from '../../../src/flink-rest/shape.ts';
import { allExecutionStates } from '../../../src/runtime/jobmanager/scheduler/execution.ts';
import { allJobStatuses } from '../../../src/runtime/jobmanager/scheduler/job-status.ts';
import { createRestServer, type RestServer } from '../../../src/runtime/rest/server.ts';
import {
  recordedBodies,
  optionalFields,
  type Recording,
  recording,
  recordings,
  requiredFields,
} from '../../reference/flink-rest/recordings.ts';
import { differences, type Rules, structureOf } from '../../reference/flink-rest/structure.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import {
  applicationId,
  fakeJob,
  fakeView,
  jobId,
  type Phase,
  phases,
  sinkId,
  sourceId,
  unknownId,
} from './fake-view.ts';
import { serve } from './server.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

const taskStates = [...allExecutionStates, 'RECONCILING'];
const rules: Rules = {
  maps: [
    '/execution-config/user-config',
    '/applications[]/jobs',
    '/job-execution-result/accumulator-results',
  ],
  // Documented in docs/metrics.md.
  additions: taskMetricRows.flatMap(({ vertexField }) =>
    vertexField === undefined ? [] : [`/vertices[]/${vertexField}`],
  ),
  words: {
    state: allJobStatuses,
    // Of a job, a vertex or a subtask; of the back pressure of a vertex.
    status: [...allJobStatuses, ...taskStates, 'ok', 'deprecated'],
    backpressureLevel: ['ok', 'low', 'high'],
    'application-status': ['SUCCEEDED', 'FAILED', 'CANCELED'],
    jobType: ['BATCH', 'STREAMING'],
    'job-type': ['BATCH', 'STREAMING'],
    type: ['BATCH', 'STREAMING', 'LongCounter', 'DoubleCounter', 'SimpleAccumulator'],
    schedulerType: ['Default', 'Adaptive', 'AdaptiveBatch'],
    exchange: ['pipelined', 'pipelined_bounded', 'blocking'],
    ship_strategy: ['FORWARD', 'HASH', 'REBALANCE', 'RESCALE', 'SHUFFLE', 'BROADCAST', 'GLOBAL'],
  },
};

const vertexPath = `/jobs/${jobId}/vertices/${sinkId}`;

/** Flink's endpoint, and what we are asked. */
const endpoints = {
  'GET /applications/overview': '/applications/overview',
  'GET /applications/:applicationid': `/applications/${applicationId}`,
  'GET /applications/:applicationid/exceptions': `/applications/${applicationId}/exceptions`,
  'GET /applications/:applicationid/jobmanager/config': `/applications/${applicationId}/jobmanager/config`,
  'GET /datasets': '/datasets',
  'GET /jobmanager/environment': '/jobmanager/environment',
  'GET /jobmanager/logs': '/jobmanager/logs',
  'GET /jobmanager/metrics': '/jobmanager/metrics',
  'GET /jobmanager/profiler': '/jobmanager/profiler',
  'GET /jobmanager/thread-dump': '/jobmanager/thread-dump',
  'GET /jobs/metrics': '/jobs/metrics',
  'GET /taskmanagers/metrics': '/taskmanagers/metrics',
  'GET /taskmanagers/:taskmanagerid/logs': '/taskmanagers/taskmanager-0-3f2a/logs',
  'GET /taskmanagers/:taskmanagerid/metrics': '/taskmanagers/taskmanager-0-3f2a/metrics',
  'GET /taskmanagers/:taskmanagerid/profiler': '/taskmanagers/taskmanager-0-3f2a/profiler',
  'GET /taskmanagers/:taskmanagerid/thread-dump': '/taskmanagers/taskmanager-0-3f2a/thread-dump',
  'GET /config': '/config',
  'GET /overview': '/overview',
  'GET /jobmanager/config': '/jobmanager/config',
  'GET /taskmanagers': '/taskmanagers',
  'GET /taskmanagers/:taskmanagerid': '/taskmanagers/taskmanager-0-3f2a',
  'GET /jobs': '/jobs',
  'GET /jobs/overview': '/jobs/overview',
} as const;
const jobEndpoints = {
  'GET /jobs/:jobid': `/jobs/${jobId}`,
  'GET /jobs/:jobid/status': `/jobs/${jobId}/status`,
  'GET /jobs/:jobid/plan': `/jobs/${jobId}/plan`,
  'GET /jobs/:jobid/config': `/jobs/${jobId}/config`,
  'GET /jobs/:jobid/exceptions': `/jobs/${jobId}/exceptions`,
  'GET /jobs/:jobid/accumulators': `/jobs/${jobId}/accumulators`,
  'GET /jobs/:jobid/checkpoints': `/jobs/${jobId}/checkpoints`,
  'GET /jobs/:jobid/checkpoints/config': `/jobs/${jobId}/checkpoints/config`,
  'GET /jobs/:jobid/execution-result': `/jobs/${jobId}/execution-result`,
  'GET /jobs/:jobid/jobmanager/config': `/jobs/${jobId}/jobmanager/config`,
  'GET /jobs/:jobid/jobmanager/log-url': `/jobs/${jobId}/jobmanager/log-url`,
  'GET /jobs/:jobid/metrics': `/jobs/${jobId}/metrics`,
  'GET /jobs/:jobid/taskmanagers/:taskmanagerid/log-url': `/jobs/${jobId}/taskmanagers/taskmanager-0/log-url`,
  'GET /jobs/:jobid/vertices/:vertexid': vertexPath,
  'GET /jobs/:jobid/vertices/:vertexid/accumulators': `${vertexPath}/accumulators`,
  'GET /jobs/:jobid/vertices/:vertexid/backpressure': `${vertexPath}/backpressure`,
  'GET /jobs/:jobid/vertices/:vertexid/flamegraph': `${vertexPath}/flamegraph`,
  'GET /jobs/:jobid/vertices/:vertexid/jm-operator-metrics': `${vertexPath}/jm-operator-metrics`,
  'GET /jobs/:jobid/vertices/:vertexid/metrics': `${vertexPath}/metrics`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex': `${vertexPath}/subtasks/1`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt': `${vertexPath}/subtasks/1/attempts/0`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators': `${vertexPath}/subtasks/1/attempts/0/accumulators`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics': `${vertexPath}/subtasks/1/metrics`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/accumulators': `${vertexPath}/subtasks/accumulators`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasks/metrics': `${vertexPath}/subtasks/metrics`,
  'GET /jobs/:jobid/vertices/:vertexid/subtasktimes': `${vertexPath}/subtasktimes`,
  'GET /jobs/:jobid/vertices/:vertexid/taskmanagers': `${vertexPath}/taskmanagers`,
  'GET /jobs/:jobid/vertices/:vertexid/watermarks': `${vertexPath}/watermarks`,
} as const;

const ask = async (
  { url }: { readonly url: string },
  path: string,
  method = 'GET',
  asked?: unknown,
) => {
  const sent =
    asked === undefined ? null : typeof asked === 'string' ? asked : JSON.stringify(asked);
  const answer = await fetch(url + path, { method, body: sent });
  const text = await answer.text();
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
};

describe.each(['empty', ...phases] as const)('a cluster: %s', (phase) => {
  const asked = Object.entries(phase === 'empty' ? endpoints : { ...endpoints, ...jobEndpoints });

  it.each(asked)('answers %s in the structure that Flink does', async (endpoint, path) => {
    const rest = await serve({ view: fakeView(phase) });
    const { body, status, type } = await ask(rest, path);
    expect([status, type]).toEqual([200, 'application/json; charset=UTF-8']);
    expect(differences(body, structureOf(recordedBodies(endpoint)), rules)).toEqual([]);
    const { body: versioned } = await ask(rest, `/v1${path}`);
    expect(differences(versioned, structureOf([body]), rules)).toEqual([]);
  });

  it.each(asked)('answers %s with what the Java client needs', async (endpoint, path) => {
    const { body } = await ask(await serve({ view: fakeView(phase) }), path);
    const needed = requiredFields(endpoint);
    const optional = optionalFields(endpoint).filter((field) => !isThere(body, field));
    const missing = needed
      .filter((field) => !isThere(body, field))
      .filter((field) => !optional.some((parent) => field.startsWith(`${parent}/`)))
      .filter((field) => !optional.some((parent) => field.startsWith(`${parent}[]/`)));
    expect(missing).toEqual([]);
  });
});

/** Whether the field is in every object that could have it: `/jobs[]/jid`. */
function isThere(body: unknown, field: string): boolean {
  if (/\/inputs\[\]\//.test(field)) return true; // of vertices that have some
  const problem = findShapeProblem(body, { [field]: 'string' });
  return problem === null || !/ is (?:missing|null)/.test(problem);
}

describe('metrics', () => {
  const vertex = (id: string) => `/jobs/${jobId}/vertices/${id}`;
  const namesOf = (body: unknown) => (body as { id: string }[]).map(({ id }) => id);
  const all = async (path: string) => namesOf((await ask(await serve(), path)).body);

  it('have names that Flink has, too', async () => {
    const known = (endpoint: string) => new Set(recordedBodies(endpoint).flatMap(namesOf));
    const own = new Set(
      [...taskMetricRows, ...processMetricRows].flatMap(({ flink }) =>
        flink.filter((m) => m.isOwn).map((m) => m.name),
      ),
    );
    const job = await all(`/jobs/${jobId}/metrics`);
    expect(job.filter((id) => !known('GET /jobs/:jobid/metrics').has(id))).toEqual([]);
    const tasks = [
      ...(await all(`${vertex(sinkId)}/metrics`)),
      ...(await all(`${vertex(sourceId)}/metrics`)),
    ];
    const flinkTasks = known('GET /jobs/:jobid/vertices/:vertexid/metrics');
    // In Flink they belong to a window operator, and to a source with watermarks: the recorded jobs have none.
    const others = /^\d\.(?:numLateRecordsDropped|Source__numbers\.watermarkLag)$/;
    expect(
      tasks.filter((id) => !flinkTasks.has(id) && !others.test(id) && !own.has(id.slice(2))),
    ).toEqual([]);
    const taskManager = await all('/taskmanagers/taskmanager-0/metrics');
    const flinkTaskManager = known('GET /taskmanagers/:taskmanagerid/metrics');
    expect(taskManager.filter((id) => !flinkTaskManager.has(id) && !own.has(id))).toEqual([]);
    const jobManager = await all('/jobmanager/metrics');
    const flinkJobManager = known('GET /jobmanager/metrics');
    expect(jobManager.filter((id) => !flinkJobManager.has(id) && !own.has(id))).toEqual([]);
  });

  it('tell what was skipped and what came too late', async () => {
    const names = ['numLateRecordsDropped', `Source__numbers.numRecordsInErrors`].map(
      (n) => `0.${n}`,
    );
    const metrics = await ask(await serve(), `${vertex(sourceId)}/metrics?get=${names.join(',')}`);
    expect(metrics.body).toEqual([
      { id: names[0], value: '2' },
      { id: names[1], value: '4' },
    ]);
    const job = (await ask(await serve(), `/jobs/${jobId}`)).body as JobDetails;
    expect(job.vertices[0]).toMatchObject({
      'late-records': expect.any(Number),
      'skipped-records': 2 * job.vertices[0]!['late-records']!,
    });
    expect(job.vertices[0]!['late-records']).toBeGreaterThan(0);
  });

  it('are given by name, as text', async () => {
    const names = '0.numRecordsIn,1.busyTimeMsPerSecond,0.bogus';
    const { body } = await ask(await serve(), `${vertex(sinkId)}/metrics?get=${names}`);
    expect(body).toEqual([
      { id: '0.numRecordsIn', value: '7520' },
      { id: '1.busyTimeMsPerSecond', value: expect.stringMatching(/^\d+\.\d+$/) },
    ]);
    const flink = recording('running', 'vertex0-metrics-values').response.body;
    expect(differences(body, structureOf([flink]))).toEqual([]);
  });

  it('have watermarks as longs of Java, also before the first one and after the last', async () => {
    const watermarks = `${vertex(sinkId)}/watermarks`;
    const of = async (watermark: number | null) => {
      const job = () => fakeJob('running', { watermark });
      return (await ask(await serve({ view: fakeView('running', { job }) }), watermarks)).body;
    };
    expect(await of(null)).toEqual(recording('running', 'vertex2-watermarks').response.body);
    expect(await of(Number.MAX_SAFE_INTEGER)).toMatchObject([{ value: '9223372036854775807' }, {}]);
    expect(await of(-1)).toEqual([
      { id: '0.currentInputWatermark', value: '-1' },
      { id: '1.currentInputWatermark', value: '-1' },
    ]);
    const source = await ask(await serve(), `${vertex(sourceId)}/watermarks`);
    expect(source.body).toEqual(recording('running', 'vertex0-watermarks').response.body);
  });
});

describe('figures of tasks', () => {
  it.each([
    ['waiting', 'no-taskmanagers', 'waiting-job'],
    ['running', 'running', 'job'],
    ['finished', 'finished', 'job'],
  ] as const)('are said to be known when Flink says so: %s', async (phase, recorded, name) => {
    const known = (body: unknown) =>
      (
        body as { vertices: readonly { metrics: Readonly<Record<string, unknown>> }[] }
      ).vertices.map(({ metrics: of }) =>
        Object.entries(of).filter(([key]) => key.endsWith('-complete')),
      );
    const { body } = await ask(await serve({ view: fakeView(phase) }), `/jobs/${jobId}`);
    expect(known(body)[0]).toEqual(known(recording(recorded, name).response.body)[0]);
  });
});

describe('statistics over subtasks', () => {
  it.each(['running', 'finished', 'failed', 'cancelled'] as const)(
    'are those that Flink computes from the same subtasks: %s',
    async (phase) => {
      for (const name of ['vertex0', 'vertex1']) {
        const flink = recording(phase, name).response.body as VertexBody;
        const { body } = await ask(
          await serve({ view: viewOfSubtasks(phase, flink) }),
          `/jobs/${jobId}/vertices/${sinkId}`,
        );
        const ours = (body as VertexBody).aggregated.metrics;
        expect(ours).toEqual(flink.aggregated.metrics);
      }
    },
  );
});

interface VertexBody {
  readonly subtasks: readonly { readonly metrics: Readonly<Record<string, number>> }[];
  readonly aggregated: { readonly metrics: unknown };
}

/** A job whose sink has the recorded counters. */
function viewOfSubtasks(phase: Phase, { subtasks }: VertexBody) {
  const view = fakeView(phase);
  const job = view.job(jobId)!;
  const vertices = job.vertices.map((vertex) => ({
    ...vertex,
    subtasks: subtasks.map(({ metrics }, index) => ({
      ...vertex.subtasks[index]!,
      metrics: {
        ...vertex.subtasks[index]!.metrics,
        recordsIn: metrics['read-records']!,
        recordsOut: metrics['write-records']!,
        bytesIn: metrics['read-bytes']!,
        bytesOut: metrics['write-bytes']!,
        busyMs: metrics['accumulated-busy-time']!,
        idleMs: metrics['accumulated-idle-time']!,
        backPressuredMs: metrics['accumulated-backpressured-time']!,
      },
    })),
  }));
  return { ...view, job: () => ({ ...job, vertices }) };
}

describe('requests that are refused', () => {
  /** Where Flink's own behaviour is a mistake, or ours cannot be the same: what we answer instead. */
  const others: Readonly<Record<string, number>> = {
    'application-failed/jobmanager-profiler': 200, // 404, in application mode only
    'application-running/jobmanager-profiler': 200,
    'errors/application-unknown': 404, // 500
    'errors/job-rescaling-old': 400, // 503, which clients repeat
    'errors/job-unknown-resources': 404, // 500
    'errors/job-unknown-status': 404, // 500
    'errors/taskmanager-log-file-unknown': 404, // 500
    'failed/job-resource-requirements': 200, // 500: we say what they are
    'running/job-resource-requirements': 200,
    'running/error-rescale-default-scheduler-complete': 400, // 500
    'application-running/jobs-submit': 400, // 404, in application mode only
    'errors/method-head-overview': 200, // 404: what may be got may be asked for by HEAD
    'errors/taskmanager-unknown': 404, // 500
    'running/error-cancel-stop-mode': 400, // 308, a redirect to nowhere
  };
  const refused = recordings.filter(
    ({ endpoint, phase, response, name }) =>
      (phase === 'errors' || name.startsWith('error-') || response.status >= 400) &&
      // jars.test.ts
      !/ \/jars\b/.test(endpoint),
  );
  let rest: RestServer;
  let url: string;
  beforeAll(async () => {
    const refuse = { type: 'refused', reason: 'not-found', message: 'no such job' } as const;
    const view = fakeView('running', {
      cancelJob: (id) => (id === jobId ? { type: 'accepted' } : refuse),
    });
    rest = await createRestServer({
      bind: '127.0.0.1',
      port: 0,
      token: null,
      maxBodyBytes: 1000,
      view,
      redactor: new Redactor(),
      logger: silentLogger,
    });
    url = `http://127.0.0.1:${rest.port}`;
    return () => rest.close();
  });

  /** Flink's vertices and jobs are ours. */
  const vertices: Readonly<Record<string, string>> = {
    ca88eee0095684d687a1b6495617f957: sourceId,
    b71731f1c0df9c3076c4a455334d0ad6: sinkId,
  };
  const translate = (path: string) =>
    path.replaceAll(/[0-9a-f]{32}/g, (id) => (id === unknownId ? id : (vertices[id] ?? jobId)));
  const translateBody = (body: unknown): unknown =>
    body === undefined ? body : JSON.parse(translate(JSON.stringify(body)));
  const terminal = (r: Recording) => r.phase === 'finished';

  it.each(refused.filter((r) => !terminal(r)).map((r) => [`${r.phase}/${r.name}`, r] as const))(
    'get the status that Flink gives: %s',
    async (name, { request, response }) => {
      const body = translateBody(request.body);
      const answer = await ask({ url }, translate(request.path), request.method, body);
      expect(answer.status).toBe(others[name] ?? response.status);
      expect(answer.type).toBe('application/json; charset=UTF-8');
      if (answer.status >= 400 && request.method !== 'HEAD') {
        expect(answer.body).toEqual({ errors: [expect.stringMatching(/./)] });
      }
    },
  );

  it.each([
    'method-delete-job',
    'method-post-overview',
    'path-unknown-post',
    'path-unknown-delete',
  ])('get the very answer that Flink gives: %s', async (name) => {
    const { request, response } = recording('errors', name);
    const answer = await ask({ url }, request.path, request.method);
    expect(answer.body).toEqual(response.body);
  });

  it('get the words of Flink, without its stack', async () => {
    const words = async (phase: string, name: string) => {
      const { request, response } = recording(phase, name);
      const body = translateBody(request.body);
      const answer = await ask({ url }, translate(request.path), request.method, body);
      const { errors } = answer.body as { errors: string[] };
      const flink = translate((response.body as { errors: string[] }).errors[0]!);
      return [errors[0], /(?:Exception: )([^\n]*)/.exec(flink)![1]];
    };
    for (const [phase, name] of [
      ['adaptive', 'error-put-bad-shape'],
      ['adaptive', 'error-put-empty'],
      ['adaptive', 'error-put-missing-vertex'],
      ['errors', 'application-malformed'],
      ['errors', 'body-not-json'],
      ['errors', 'dataset-malformed-delete'],
      ['errors', 'job-malformed'],
      ['errors', 'job-unknown'],
      ['errors', 'job-unknown-checkpoints'],
      ['errors', 'metrics-agg-bad'],
      ['errors', 'savepoint-disposal-missing-path'],
      ['errors', 'taskmanager-unknown-log'],
      ['errors', 'taskmanager-unknown-logs'],
      ['running', 'error-attempt-unknown'],
      ['running', 'error-cancel-bad-mode'],
      ['running', 'error-checkpoint-bad-type'],
      ['running', 'error-checkpoint-malformed'],
      ['running', 'error-checkpoint-unknown'],
      ['running', 'error-max-exceptions-malformed'],
      ['running', 'error-savepoint-malformed-trigger'],
      ['running', 'error-savepoint-unknown-trigger'],
      ['running', 'error-subtask-malformed'],
      ['running', 'error-subtask-unknown'],
      ['running', 'error-vertex-malformed'],
      ['running', 'error-vertex-unknown'],
      ['running', 'job-rescales-config'],
    ] as const) {
      const [ours, flinks] = await words(phase, name);
      expect(ours).toBe(flinks);
    }
  });
});

describe('cancelling', () => {
  const refusing = (message: string) =>
    fakeView('finished', { cancelJob: () => ({ type: 'refused', reason: 'conflict', message }) });

  it.each([
    ['cancelled', 'cancel'],
    ['cancelled', 'cancel-again'],
    ['application-running', 'cancel'],
  ])('is accepted as by Flink: %s/%s', async (phase, name) => {
    const { request, response } = recording(phase, name);
    const view = fakeView('running');
    const path = request.path.replace(/[0-9a-f]{32}/, jobId);
    const { body, status } = await ask(await serve({ view }), path, request.method);
    expect([status, body]).toEqual([response.status, response.body]);
    expect(view.commands).toEqual([`cancel ${jobId}`]);
  });

  it('by GET, as the Web UI does, is no matter of links and images', async () => {
    const view = fakeView('running');
    const rest = await serve({ view });
    const cancel = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await fetch(`${rest.url}/jobs/${jobId}/yarn-cancel`, { method, headers });
      return answer.status;
    };
    for (const site of ['same-site', 'cross-site']) {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      expect(await cancel(headers)).toBe(403);
    }
    expect(await cancel({}, 'HEAD')).toBe(404);
    expect(view.commands).toEqual([]);
    expect(await cancel({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).toBe(202);
    expect(await cancel({})).toBe(202);
    expect(view.commands).toEqual([`cancel ${jobId}`, `cancel ${jobId}`]);
    expect((await fetch(`${rest.url}/jobs/${jobId}/yarn-stop`)).status).toBe(400);
  });

  it('of a job that has ended is a conflict', async () => {
    const { request, response } = recording('finished', 'cancel-finished');
    const rest = await serve({ view: refusing('job x has already reached FINISHED') });
    const { body, status } = await ask(rest, request.path, request.method);
    expect([status, body]).toEqual([
      response.status,
      { errors: ['job x has already reached FINISHED'] },
    ]);
  });
});
