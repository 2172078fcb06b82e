import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FctlRestClient, FlinkRestClient, RestError } from '../../src/flink-rest/client.ts';
import { recording } from '../reference/flink-rest/recordings.ts';
import {
  failure,
  fakeJob,
  fakeView,
  jobId,
  sinkId,
  sourceId,
  unknownId,
} from '../runtime/rest/fake-view.ts';
import { serve, token } from '../runtime/rest/server.ts';

const timeoutMs = 5000;
const optionsOf = (url: string) => ({ url, token: null, timeoutMs });

/** Any server. */
async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answeringWith = (status: number, body: string, headers: Record<string, string> = {}) =>
  answering((_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  });

async function failureOf(promise: Promise<unknown>): Promise<RestError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RestError);
  return error as RestError;
}

it('calls a job lost that was lost with its JobManager, and Flink’s clients take for failed', async () => {
  const lost = { ...fakeJob('failed'), isLost: true };
  const view = fakeView('empty', { jobs: () => [lost] });
  const { url } = await serve({ view, token: null });
  const answer = (await (await fetch(`${url}/jobs/overview`)).json()) as { jobs: unknown[] };
  expect(answer.jobs).toMatchObject([{ state: 'FAILED' }]);
  expect((await new FlinkRestClient(optionsOf(url)).jobsOverview()).jobs).toMatchObject([
    { jid: jobId, state: 'LOST' },
  ]);
});

describe('Flink’s API, as our JobManager speaks it', () => {
  const client = async (phase: Parameters<typeof fakeView>[0] = 'running') =>
    new FlinkRestClient({
      ...optionsOf((await serve({ view: fakeView(phase), token })).url),
      token,
    });

  it('tells of the cluster', async () => {
    const flink = await client();
    expect(await flink.config()).toMatchObject({ 'flink-version': '2.3.0' });
    expect(await flink.overview()).toMatchObject({ taskmanagers: 1, 'jobs-running': 1 });
    expect(await flink.jobManagerConfig()).toContainEqual({ key: 'taskmanager.slots', value: '2' });
    expect(await flink.jobManagerMetrics(['taskSlotsTotal'])).toEqual([
      { id: 'taskSlotsTotal', value: '2' },
    ]);
  });

  it('tells of TaskManagers, found by the id that it gave', async () => {
    const flink = await client();
    const { taskmanagers } = await flink.taskManagers();
    const { id } = taskmanagers[0]!;
    expect(await flink.taskManager(id)).toMatchObject({ id, slotsNumber: 2, freeSlots: 0 });
    expect(await flink.taskManager('taskmanager-0')).toMatchObject({ id });
    expect(await flink.taskManager('taskmanager-0/3f2a')).toMatchObject({ id });
    expect(await flink.taskManagerMetrics(id, ['Status.JVM.CPU.Load'])).toEqual([
      { id: 'Status.JVM.CPU.Load', value: '0.125' },
    ]);
  });

  it('tells of jobs', async () => {
    const flink = await client('failed');
    expect((await flink.jobs()).jobs).toEqual([{ id: jobId, status: 'FAILED' }]);
    expect((await flink.jobsOverview()).jobs).toMatchObject([
      { jid: jobId, tasks: { total: 4, failed: 1, canceled: 3 } },
    ]);
    expect((await flink.jobsOverview()).jobs[0]!.state).toBe('FAILED');
    expect(await flink.job(jobId)).toMatchObject({ jid: jobId, state: 'FAILED' });
    expect(await flink.jobStatus(jobId)).toBe('FAILED');
    const plan = await flink.jobPlan(jobId);
    expect(plan.nodes.map((node) => node.description)).toEqual([
      'count<br/>+- discard: Writer<br/>',
      'Source: numbers<br/>',
    ]);
    expect(await flink.jobConfig(jobId)).toMatchObject({
      'execution-config': { 'user-config': { rate: '500', mode: 'stream' } },
    });
    expect((await flink.jobExceptions(jobId, 1)).exceptionHistory).toMatchObject({
      entries: [{ exceptionName: 'RangeError', stacktrace: failure.stack, taskName: failure.task }],
      truncated: false,
    });
    expect((await flink.jobExceptions(jobId, 0)).exceptionHistory).toEqual({
      entries: [],
      truncated: true,
    });
    expect((await flink.jobAccumulators(jobId))['user-task-accumulators']).toEqual([
      { name: 'records', type: 'LongCounter', value: '9712' },
      { name: 'mean', type: 'LongCounter', value: '2' },
    ]);
    expect(await flink.jobMetrics(jobId, ['numRestarts'])).toEqual([
      { id: 'numRestarts', value: '0' },
    ]);
  });

  it('tells of vertices', async () => {
    const flink = await client();
    const { subtasks } = await flink.vertex(jobId, sinkId);
    expect(subtasks).toMatchObject([
      { subtask: 0, endpoint: '127.0.0.1:41907', 'taskmanager-id': 'taskmanager-0-3f2a' },
      { subtask: 1 },
    ]);
    expect(await flink.vertexMetrics(jobId, sinkId, ['1.numRecordsIn', '0.numBytesOut'])).toEqual([
      { id: '0.numBytesOut', value: '74361' },
      { id: '1.numRecordsIn', value: '7520' },
    ]);
    expect((await flink.vertexMetrics(jobId, sourceId)).map(({ id }) => id)).toContain(
      '0.Source__numbers.currentOutputWatermark',
    );
    expect(await flink.vertexWatermarks(jobId, sinkId)).toMatchObject([
      { id: '0.currentInputWatermark', value: '1795371000123' },
      { id: '1.currentInputWatermark' },
    ]);
  });

  it('cancels a job', async () => {
    const view = fakeView('running');
    await new FlinkRestClient(optionsOf((await serve({ view })).url)).cancelJob(jobId);
    expect(view.commands).toEqual([`cancel ${jobId}`]);
  });

  it('gives the words and the status of what is refused', async () => {
    const flink = await client();
    expect(await failureOf(flink.job(unknownId))).toMatchObject({
      status: 404,
      message: `Job ${unknownId} not found`,
    });
    const odd = 'a b/../?%';
    expect((await failureOf(flink.taskManager(odd))).message).toBe(
      `Could not find TaskExecutor ${odd}`,
    );
  });
});

describe('a real Flink’s answers', () => {
  it.each([
    ['overview', 'running', (flink: FlinkRestClient) => flink.overview()],
    ['taskmanagers', 'running', (flink: FlinkRestClient) => flink.taskManagers()],
    ['taskmanager', 'running', (flink: FlinkRestClient) => flink.taskManager('x')],
    ['jobs', 'running', (flink: FlinkRestClient) => flink.jobs()],
    ['jobs-overview', 'running', (flink: FlinkRestClient) => flink.jobsOverview()],
    ['config', 'empty', (flink: FlinkRestClient) => flink.config()],
    ['jobmanager-config', 'empty', (flink: FlinkRestClient) => flink.jobManagerConfig()],
    ['job', 'running', (flink: FlinkRestClient) => flink.job(jobId)],
    ['waiting-job', 'no-taskmanagers', (flink: FlinkRestClient) => flink.job(jobId)],
    ['job-config', 'finished', (flink: FlinkRestClient) => flink.jobConfig(jobId)],
    ['job-exceptions', 'failed', (flink: FlinkRestClient) => flink.jobExceptions(jobId, 1)],
    ['job-accumulators', 'running', (flink: FlinkRestClient) => flink.jobAccumulators(jobId)],
    ['job-metrics', 'running', (flink: FlinkRestClient) => flink.jobMetrics(jobId)],
    ['vertex0', 'running', (flink: FlinkRestClient) => flink.vertex(jobId, sinkId)],
  ] as const)('are read: %s, %s', async (name, phase, read) => {
    const { body } = recording(phase, name).response;
    const url = await answeringWith(200, JSON.stringify(body));
    expect(await read(new FlinkRestClient(optionsOf(url)))).toEqual(body);
  });

  it.each([
    ['errors', 'job-unknown-cancel', 'Job could not be found.'],
    ['errors', 'job-unknown', 'Job 00000000000000000000000000000000 not found'],
    ['errors', 'job-unknown-status', 'Could not find Flink job (00000000000000000000000000000000)'],
    ['errors', 'path-unknown', 'Unable to load requested file /nonexistent.'],
    [
      'finished',
      'cancel-finished',
      'Job cancellation failed because the job has already reached another terminal state (FINISHED).',
    ],
  ])('that are errors are told without the stack: %s/%s', async (phase, name, message) => {
    const { body, status } = recording(phase, name).response;
    const url = await answeringWith(status, JSON.stringify(body));
    expect(await failureOf(new FlinkRestClient(optionsOf(url)).job(jobId))).toMatchObject({
      message,
      status,
      details: (body as { errors: string[] }).errors,
    });
  });
});

describe('our extensions', () => {
  it('tell of the cluster and its jobs', async () => {
    const view = fakeView('running');
    const fctl = new FctlRestClient(optionsOf((await serve({ view })).url));
    expect(await fctl.ready()).toBe(true);
    expect(await fctl.cluster()).toMatchObject({ clusterId: 'flights', epoch: 3 });
    await fctl.submitJob({ jobId, graph: { name: 'x' } });
    await fctl.cancelApplication();
    expect(view.commands).toEqual([`submit ${jobId}`, 'cancel application']);
    expect(await fctl.jobResult(jobId, 10)).toEqual({ jobId, outcome: null, collected: {} });
    expect(await failureOf(fctl.jobResult(unknownId, 0))).toMatchObject({ status: 404 });
  });

  it('wait longer than other requests for a result', async () => {
    const jobResult = (id: string, waitMs: number) =>
      new Promise<{ jobId: string; outcome: null; collected: {} }>((resolve) => {
        setTimeout(() => resolve({ jobId: id, outcome: null, collected: {} }), waitMs);
      });
    const { url } = await serve({ view: fakeView('running', { jobResult }) });
    const fctl = new FctlRestClient({ url, token: null, timeoutMs: 150 });
    expect(await fctl.jobResult(jobId, 300)).toMatchObject({ outcome: null });
  });

  it('know when a JobManager does not lead yet', async () => {
    const { url } = await serve({ view: fakeView('empty', { ready: false }), token });
    expect(await new FctlRestClient(optionsOf(url)).ready()).toBe(false);
  });
});

describe('a JobManager that does not lead yet', () => {
  it('is asked again when it said so', async () => {
    let asked = 0;
    const url = await answering((_request, response) => {
      asked++;
      response.writeHead(asked < 3 ? 503 : 200, { 'retry-after': '0' });
      response.end(asked < 3 ? '{"errors":["no leader"]}' : '{"jobs":[]}');
    });
    expect(await new FlinkRestClient(optionsOf(url)).jobs()).toEqual({ jobs: [] });
    expect(asked).toBe(3);
  });

  it('is not waited for longer than a call may take', async () => {
    const url = await answeringWith(503, '{"errors":["no leader"]}', { 'retry-after': '60' });
    const error = await failureOf(new FlinkRestClient(optionsOf(url)).jobs());
    expect(error).toMatchObject({ status: 503, message: 'no leader' });
  });
});

describe('what goes wrong', () => {
  const overview = (url: string, options: object = {}) =>
    new FlinkRestClient({ ...optionsOf(url), ...options }).overview();

  it('names the URL when nobody listens', async () => {
    const { close, url } = await serve();
    await close();
    const error = await failureOf(overview(url));
    expect(error).toMatchObject({ status: null });
    expect(error.message).toMatch(
      new RegExp(`^${url}/v1/overview does not answer: .*ECONNREFUSED`),
    );
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('names the URL and the time when there is no answer in time', async () => {
    const url = await answering(() => {});
    const error = await failureOf(overview(url, { timeoutMs: 30 }));
    expect(error).toMatchObject({
      status: null,
      message: `${url}/v1/overview does not answer within 30 ms`,
    });
  });

  it('is the same when the answer breaks off, or stands still', async () => {
    const breaking = await answering((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"task', () => response.destroy());
    });
    expect((await failureOf(overview(breaking))).message).toMatch(/does not answer: ./);
    const standing = await answering((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"task');
    });
    expect((await failureOf(overview(standing, { timeoutMs: 30 }))).message).toMatch(
      /within 30 ms$/,
    );
  });

  it('says that the token is wrong', async () => {
    const { url } = await serve({ token });
    expect(await failureOf(overview(url, { token: 'other' }))).toMatchObject({
      status: 401,
      message: 'This is not the token of the cluster.',
    });
  });

  it.each([
    [200, 'hello', /answers 200 with something that is not JSON$/],
    [200, '', /\/taskmanagers is missing$/],
    [200, '[]', /the whole is array, not object$/],
    [200, 'null', /the whole is null, not object$/],
    [200, '{"taskmanagers":"1"}', /\/taskmanagers is string, not number$/],
    [502, '<html>', /answers 502$/],
    [500, '', /answers 500$/],
    [404, '{"errors":[]}', /answers 404$/],
    [404, '{"errors":"x"}', /answers 404$/],
    [400, 'null', /answers 400$/],
    [503, '{"errors":["no leader"]}', /^no leader$/],
  ])('tells of an answer that is none: %d %s', async (status, body, message) => {
    const url = await answeringWith(status, body);
    const error = await failureOf(overview(url));
    expect(error.message).toMatch(message);
    expect(error.status).toBe(status);
    if (!error.message.startsWith('no leader'))
      expect(error.message).toContain(`${url}/v1/overview`);
  });

  it('follows nobody elsewhere with the token', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await answering((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const url = await answeringWith(307, '', { location: elsewhere });
    const error = await failureOf(overview(url, { token }));
    expect(error).toMatchObject({
      status: 307,
      message: `${url}/v1/overview answers 307: it redirects to ${elsewhere}`,
    });
    expect(seen).toEqual([]);
  });

  it('names the field that is missing, with its place', async () => {
    const body = { jobs: [{ id: 'a', status: 'RUNNING' }, { id: 'b' }] };
    const url = await answeringWith(200, JSON.stringify(body));
    const error = await failureOf(new FlinkRestClient(optionsOf(url)).jobs());
    expect(error.message).toBe(`the answer of ${url}/v1/jobs: /jobs[1]/status is missing`);
  });

  it('is not what the caller ended', async () => {
    const controller = new AbortController();
    const url = await answering(() => controller.abort(new Error('interrupted')));
    const { signal } = controller;
    await expect(overview(url, { signal })).rejects.toThrow('interrupted');
    await expect(overview(url, { signal })).rejects.toThrow('interrupted');
  });
});

describe('the URL', () => {
  it('may have a path, with a slash at its end or not', async () => {
    const paths: (string | undefined)[] = [];
    const url = await answering((request, response) => {
      paths.push(request.url);
      response.end('{"jobs":[]}');
    });
    for (const base of [url, `${url}/`, `${url}/proxy/app_1`, `${url}/proxy/app_1/`]) {
      await new FlinkRestClient(optionsOf(base)).jobs();
    }
    expect(paths).toEqual(['/v1/jobs', '/v1/jobs', '/proxy/app_1/v1/jobs', '/proxy/app_1/v1/jobs']);
  });

  it('has ids and names encoded', async () => {
    const paths: (string | undefined)[] = [];
    const url = await answering((request, response) => {
      paths.push(request.url);
      response.end('[]');
    });
    const flink = new FlinkRestClient(optionsOf(url));
    await flink.taskManagerMetrics('a/b c', ['x&y', 'z']);
    expect(paths).toEqual(['/v1/taskmanagers/a%2Fb%20c/metrics?get=x%26y,z']);
  });
});
