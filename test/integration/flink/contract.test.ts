/**
 * One contract of our REST client, run against a real Flink and against our JobManager: what it reads of
 * the one it reads of the other. Each has four jobs of the same shape: `contract` and `spare` without end,
 * `doomed` that fails, `brief` that finishes.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FlinkRestClient, RestError } from '../../../src/flink-rest/client.ts';
import { FlinkCluster } from '../../rigs/flink/cluster.ts';
import { flinkRig, testJar } from '../../rigs/flink/installation.ts';
import { describeWith } from '../../rigs/rig.ts';
import { bundleOf, startBundled } from './bundled.ts';

interface Subject {
  readonly client: FlinkRestClient;
  /** A request that the client does not make. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
  /** An application whose job is called `contract`: file, what is run of it. */
  readonly upload: { readonly file: string; readonly entry: string };
  readonly stop: () => Promise<void>;
}

const slots = 4;

async function realFlink(): Promise<Subject> {
  const cluster = await FlinkCluster.start({ slots });
  await cluster.submit('name', 'contract');
  await cluster.submit('name', 'spare');
  await cluster.submit('name', 'doomed', 'failAt', '5');
  await cluster.submit('name', 'brief', 'count', '100');
  return {
    client: cluster.client,
    ask: (path, init) => fetch(cluster.url + path, init),
    upload: { file: testJar, entry: 'TestJob' },
    stop: () => cluster.stop(),
  };
}

async function ourCluster(): Promise<Subject> {
  const jobs = [
    { name: 'contract' },
    { name: 'spare' },
    { name: 'doomed', failAt: 5 },
    { name: 'brief', count: 100 },
  ];
  const { client, project, token, url } = await startBundled(jobs, { slots, mode: 'session' });
  const headers = { authorization: `Bearer ${token}` };
  return {
    client,
    ask: (path, init) => fetch(url + path, { ...init, headers }),
    upload: { file: await bundleOf(project, 'contract'), entry: 'main' },
    stop: () => project.remove(),
  };
}

const unknownId = '0123456789abcdef0123456789abcdef';

const waiting = { timeout: 60_000, interval: 100 };

/** A running cluster changes, and Flink answers from a cache of 3 s. */
const expectSoon = <T>(read: () => Promise<T>) => expect.poll(read, waiting);

async function refusalOf(promise: Promise<unknown>): Promise<RestError> {
  const error: unknown = await promise.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RestError);
  return error as RestError;
}

interface Uploaded {
  readonly filename: string;
  readonly status: string;
}

const subjects = [
  { name: 'a real Flink', start: realFlink },
  { name: 'our JobManager', start: ourCluster },
];

describeWith([flinkRig], 'the contract of REST', () => {
  describe.each(subjects)('$name', ({ start }) => {
    contract(start);
  });
});

function contract(start: () => Promise<Subject>): void {
  let subject: Subject;
  let client: FlinkRestClient;
  const ids = new Map<string, string>();
  const idOf = (name: string) => ids.get(name)!;

  beforeAll(async () => {
    subject = await start();
    client = subject.client;
    const states = { contract: 'RUNNING', spare: 'RUNNING', doomed: 'FAILED', brief: 'FINISHED' };
    const reached = async () => {
      const { jobs } = await client.jobsOverview();
      expect(Object.fromEntries(jobs.map(({ name, state }) => [name, state]))).toEqual(states);
    };
    await vi.waitFor(reached, waiting);
    for (const { jid, name } of (await client.jobsOverview()).jobs) ids.set(name, jid);
  });
  afterAll(() => subject?.stop());

  it('tells who it is', async () => {
    expect(await client.config()).toMatchObject({
      'flink-version': '2.3.0',
      features: { 'web-cancel': true, 'web-history': false },
    });
    expect((await client.config())['refresh-interval']).toBeGreaterThan(0);
  });

  it('counts TaskManagers, slots and jobs', async () => {
    await expectSoon(() => client.overview()).toMatchObject({
      taskmanagers: 1,
      'slots-total': slots,
      'slots-available': slots - 2,
      'jobs-running': 2,
      'jobs-finished': 1,
      'jobs-cancelled': 0,
      'jobs-failed': 1,
      'flink-version': '2.3.0',
    });
  });

  it('shows its configuration and its metrics', async () => {
    expect((await client.jobManagerConfig()).length).toBeGreaterThan(5);
    const names = async () => (await client.jobManagerMetrics()).map(({ id }) => id);
    const asked = ['numRegisteredTaskManagers', 'taskSlotsTotal'];
    await expectSoon(names).toEqual(
      expect.arrayContaining([...asked, 'Status.JVM.Memory.Heap.Used']),
    );
    expect(new Set(await client.jobManagerMetrics(asked))).toEqual(
      new Set([
        { id: 'numRegisteredTaskManagers', value: '1' },
        { id: 'taskSlotsTotal', value: String(slots) },
      ]),
    );
    expect(await client.jobManagerMetrics(['noSuchMetric'])).toEqual([]);
  });

  it('shows TaskManagers, and each by the id that it gave', async () => {
    const all = await client.taskManagers();
    expect(all.taskmanagers).toMatchObject([{ slotsNumber: slots }]);
    const { id } = all.taskmanagers[0]!;
    const one = await client.taskManager(id);
    expect(one).toMatchObject({ id, slotsNumber: slots });
    expect(new Set(one.allocatedSlots.map(({ jobId }) => jobId))).toEqual(
      new Set([idOf('contract'), idOf('spare')]),
    );
    const heap = 'Status.JVM.Memory.Heap.Used';
    await expectSoon(() => client.taskManagerMetrics(id, [heap])).toEqual([
      { id: heap, value: expect.stringMatching(/^[1-9]\d+$/) },
    ]);
    const refused = await refusalOf(client.taskManager('nobody'));
    // Flink: 500, ours: 404.
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.message).toContain('nobody');
    expect(await client.taskManagerMetrics('nobody')).toEqual([]);
  });

  it('lists jobs', async () => {
    expect(new Set((await client.jobs()).jobs)).toEqual(
      new Set([
        { id: idOf('contract'), status: 'RUNNING' },
        { id: idOf('spare'), status: 'RUNNING' },
        { id: idOf('doomed'), status: 'FAILED' },
        { id: idOf('brief'), status: 'FINISHED' },
      ]),
    );
    const { jobs } = await client.jobsOverview();
    const running = jobs.find(({ name }) => name === 'contract')!;
    expect(running).toMatchObject({ 'end-time': -1, jobType: 'STREAMING' });
    expect(running.duration).toBeGreaterThan(0);
    const failed = jobs.find(({ name }) => name === 'doomed')!;
    expect(failed['end-time']).toBe(failed['start-time'] + failed.duration);
    expect(failed.tasks).toMatchObject({ total: 2, running: 0 });
    expect(await client.jobStatus(idOf('contract'))).toBe('RUNNING');
  });

  it('shows a running job: its vertices, their plan, and what they have done', async () => {
    const jobId = idOf('contract');
    await expectSoon(() => client.job(jobId)).toMatchObject({
      jid: jobId,
      name: 'contract',
      isStoppable: false,
      'job-type': 'STREAMING',
      state: 'RUNNING',
      'end-time': -1,
      'status-counts': { RUNNING: 2, FAILED: 0 },
      vertices: [
        { parallelism: 1, status: 'RUNNING', tasks: { RUNNING: 1 }, 'end-time': -1 },
        { parallelism: 1, status: 'RUNNING', tasks: { RUNNING: 1 }, 'end-time': -1 },
      ],
    });
    const job = await client.job(jobId);
    const [source, last] = job.vertices;
    expect(source!.name).toBe('Source: numbers');
    expect(last!.name).toMatch(/count -> discard(: Writer)?$/);
    expect(job.timestamps['RUNNING']).toBeGreaterThanOrEqual(job['start-time']);
    await expectSoon(async () => (await client.job(jobId)).vertices[1]!.metrics).toSatisfy(
      (metrics: (typeof job.vertices)[0]['metrics']) =>
        metrics['read-records'] > 0 && metrics['read-bytes'] > 0,
    );
    expect((await client.job(jobId)).vertices[1]!.metrics).toMatchObject({
      'read-bytes-complete': true,
      'read-records-complete': true,
    });

    const plan = await client.jobPlan(jobId);
    expect(plan).toMatchObject({ jid: jobId, name: 'contract', type: 'STREAMING' });
    const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
    expect([...nodes.keys()].sort()).toEqual([source!.id, last!.id].sort());
    expect(nodes.get(source!.id)).not.toHaveProperty('inputs');
    expect(nodes.get(last!.id)!.inputs).toMatchObject([{ id: source!.id, ship_strategy: 'HASH' }]);
  });

  it('shows a vertex, its subtasks, metrics and watermarks', async () => {
    const jobId = idOf('contract');
    const taskManager = (await client.taskManagers()).taskmanagers[0]!.id;
    const vertices = (await client.job(jobId)).vertices;
    const [source, last] = vertices.map(({ id }) => id) as [string, string];
    await expectSoon(() => client.vertex(jobId, last)).toMatchObject({
      id: last,
      parallelism: 1,
      subtasks: [
        {
          subtask: 0,
          attempt: 0,
          status: 'RUNNING',
          'taskmanager-id': taskManager,
          'end-time': -1,
        },
      ],
    });

    const names = async () => (await client.vertexMetrics(jobId, source)).map(({ id }) => id);
    await expectSoon(names).toEqual(
      expect.arrayContaining(['0.numRecordsOut', '0.numBytesOut', '0.busyTimeMsPerSecond']),
    );
    const sent = async () => {
      const [metric] = await client.vertexMetrics(jobId, source, ['0.numRecordsOut']);
      return Number(metric?.value ?? -1);
    };
    const before = await sent();
    await expectSoon(sent).toBeGreaterThan(before);

    // No watermark has been made: the smallest long.
    await expectSoon(() => client.vertexWatermarks(jobId, last)).toEqual([
      { id: '0.currentInputWatermark', value: '-9223372036854775808' },
    ]);
    expect(await client.vertexMetrics(jobId, unknownId)).toEqual([]);
    expect((await refusalOf(client.vertex(jobId, unknownId))).status).toBe(404);
  });

  it('tells why a job failed, and nothing of one that did not', async () => {
    await expectSoon(() => client.jobExceptions(idOf('doomed'), 10)).toMatchObject({
      exceptionHistory: {
        truncated: false,
        entries: [{ stacktrace: expect.stringContaining('fails at 5, as told') }],
      },
    });
    const { exceptionHistory } = await client.jobExceptions(idOf('contract'), 10);
    expect(exceptionHistory).toMatchObject({ entries: [], truncated: false });
    expect((await client.jobExceptions(idOf('doomed'), 0)).exceptionHistory).toEqual({
      entries: [],
      truncated: true,
    });
  });

  it('keeps a finished job with its accumulators and its configuration', async () => {
    const jobId = idOf('brief');
    expect(await client.job(jobId)).toMatchObject({
      name: 'brief',
      state: 'FINISHED',
      vertices: [{ status: 'FINISHED' }, { status: 'FINISHED', metrics: { 'read-records': 100 } }],
    });
    expect((await client.jobAccumulators(jobId))['user-task-accumulators']).toEqual([
      { name: 'records', type: 'LongCounter', value: expect.stringMatching(/\b100\b/) },
    ]);
    expect(await client.jobConfig(jobId)).toMatchObject({
      jid: jobId,
      name: 'brief',
      'execution-config': { 'job-parallelism': 1 },
    });
  });

  it('has metrics of a job', async () => {
    const jobId = idOf('contract');
    const names = async () => (await client.jobMetrics(jobId)).map(({ id }) => id);
    await expectSoon(names).toEqual(expect.arrayContaining(['numRestarts', 'runningTime']));
    await expectSoon(() => client.jobMetrics(jobId, ['numRestarts'])).toEqual([
      { id: 'numRestarts', value: '0' },
    ]);
    expect(await client.jobMetrics(unknownId)).toEqual([]);
  });

  it('cancels a job, and refuses to cancel what has ended otherwise', async () => {
    const jobId = idOf('spare');
    await client.cancelJob(jobId);
    await expectSoon(() => client.jobStatus(jobId)).toBe('CANCELED');
    expect((await refusalOf(client.cancelJob(idOf('brief')))).status).toBe(409);
    expect((await refusalOf(client.cancelJob(unknownId))).status).toBe(404);
    await expectSoon(() => client.overview()).toMatchObject({
      'jobs-running': 1,
      'jobs-cancelled': 1,
    });
  });

  it('takes an application, shows its plan, runs it, and forgets it', async () => {
    const { ask, upload } = subject;
    const json = async <T>(path: string, init?: RequestInit) =>
      (await (await ask(path, init)).json()) as T;
    const form = new FormData();
    form.set('jarfile', new File([await readFile(upload.file)], basename(upload.file)));
    const sent = { method: 'POST', body: form };
    const { filename, status } = await json<Uploaded>('/v1/jars/upload', sent);
    const id = filename.split('/').at(-1)!;
    expect(status).toBe('success');
    const { files } = await json<{ files: unknown[] }>('/v1/jars');
    expect(files).toEqual([
      {
        id,
        name: basename(upload.file),
        uploaded: expect.any(Number),
        entry: expect.arrayContaining([{ name: upload.entry, description: null }]),
      },
    ]);
    const plan = await json(`/v1/jars/${id}/plan?parallelism=1`);
    expect(plan).toMatchObject({
      plan: { name: 'contract', type: 'STREAMING', nodes: [{ parallelism: 1 }, {}] },
    });
    const body = JSON.stringify({ entryClass: upload.entry, parallelism: 1 });
    const ran = await json<{ jobid: string; applicationId: string }>(`/v1/jars/${id}/run`, {
      method: 'POST',
      body,
    });
    await expectSoon(() => client.jobStatus(ran.jobid)).toBe('RUNNING');
    await expectSoon(() => client.job(ran.jobid)).toMatchObject({
      name: 'contract',
      'application-id': ran.applicationId,
    });
    await client.cancelJob(ran.jobid);
    await expectSoon(() => client.jobStatus(ran.jobid)).toBe('CANCELED');
    expect(await json(`/v1/jars/${id}`, { method: 'DELETE' })).toEqual({});
    expect(await json('/v1/jars')).toMatchObject({ files: [] });
    const unknown = await ask(`/v1/jars/${id}`, { method: 'DELETE' });
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      { errors: [expect.stringContaining(id)] },
    ]);
  });

  it('does not know what does not exist', async () => {
    const asked = [
      client.job(unknownId),
      client.jobPlan(unknownId),
      client.jobConfig(unknownId),
      client.jobAccumulators(unknownId),
    ];
    for (const refused of await Promise.all(asked.map(refusalOf))) {
      expect(refused.status).toBe(404);
      expect(refused.message).toContain(unknownId);
    }
    expect((await refusalOf(client.job('no-id'))).status).toBe(400);
  });

  it.each([
    ['GET', '/v1/nothing'],
    ['GET', '/v2/overview'],
    ['POST', '/v1/overview'],
    ['DELETE', '/v1/jobs/overview'],
  ])('answers %s %s with its shape of an error', async (method, path) => {
    const answer = await subject.ask(path, { method });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { errors: [expect.stringMatching(/./)] },
    ]);
  });

  it.each(['', '/v1'])('answers below %j', async (prefix) => {
    const answer = await subject.ask(`${prefix}/overview`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json; *charset=UTF-8$/i);
    expect(await answer.json()).toMatchObject({ taskmanagers: 1 });
  });
}
