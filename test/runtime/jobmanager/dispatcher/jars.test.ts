/** Applications that are uploaded to a session and run there, on real processes, over REST. */
import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApplicationCluster } from '../application-cluster.ts';
import { isAlive } from '../processes.ts';

let cluster: ApplicationCluster;
let url: string;
beforeEach(() => {
  cluster = new ApplicationCluster();
});
afterEach(() => cluster.close());

const source = `
import { appendFileSync, existsSync } from 'node:fs';
import { CollectionSource, DiscardSink, defineJob, types } from 'fctl';
const note = (file, line) => appendFileSync(here + '/' + file, line + '\\n');
const cell = new Int32Array(new SharedArrayBuffer(4));
const wait = (file) => { while (!existsSync(here + '/' + file)) Atomics.wait(cell, 0, 0, 5); };
const held = (name, gate) => defineJob(name, (env) => {
  env.fromSource(CollectionSource.of([1]))
    .map((x) => { wait(gate); return x; })
    .sinkTo(DiscardSink.create());
});
const a = held('a', 'gate-a');
const b = held('b', 'gate-b');
const greet = defineJob('greet', { args: types.record({ who: types.string, times: types.int32 }) },
  (env, { times, who }) => {
    env.fromSource(CollectionSource.of(Array.from({ length: times }, (_, i) => i)))
      .map((x) => { note('greeted', who); return x; })
      .sinkTo(DiscardSink.create());
  });
`;

/** `main` reads what it is to do from its arguments. */
const main = `
export async function main(ctx) {
  const { then } = ctx.args;
  note('main', process.pid + ' ' + JSON.stringify(ctx.args));
  if (then === 'throw-first') throw new RangeError('as told');
  if (then === 'nothing') return;
  await ctx.executeAsync(a);
  if (then === 'throw') throw new RangeError('as told, later');
  if (then === 'spin') for (;;);
  await ctx.executeAsync(b);
}`;

async function start(application = source + main): Promise<void> {
  await cluster.application(application);
  await Promise.all([cluster.taskManager(), session()]);
  await ask('GET', '/taskmanagers').then(({ body }) => body);
}

async function session() {
  const jobManager = await cluster.jobManager({ mode: 'session', application: null });
  await cluster.until(async () => {
    const endpoint = await cluster.endpoint();
    if (endpoint?.jobmanager?.pid !== jobManager.pid) return false;
    url = endpoint!.rest;
    return (await fetch(`${url}/fctl/v1/ready`).catch(() => null))?.ok ?? false;
  });
  return jobManager;
}

async function ask(
  method: string,
  path: string,
  body?: object,
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies of all kinds
): Promise<{ status: number; body: any }> {
  const sent = body === undefined || body instanceof FormData ? body : JSON.stringify(body);
  const answer = await fetch(url + path, { method, body: sent ?? null });
  return { status: answer.status, body: await answer.json() };
}

function form(content: string | Uint8Array<ArrayBuffer>, name = 'demo.mjs'): FormData {
  const data = new FormData();
  data.set('jarfile', new File([content], name, { type: 'application/x-java-archive' }));
  return data;
}

async function upload(): Promise<string> {
  const bytes = new Uint8Array(await readFile(cluster.bundle.file));
  const { body, status } = await ask('POST', '/jars/upload', form(bytes));
  expect([status, body.status]).toEqual([200, 'success']);
  return body.filename.split('/').at(-1);
}

const stateOf = async (jobId: string) => (await ask('GET', `/jobs/${jobId}/status`)).body.status;
const reaches = (jobId: string, state: string) =>
  cluster.until(async () => (await stateOf(jobId)) === state);
const application = async (id: string) => (await ask('GET', `/applications/${id}`)).body;

describe('an uploaded application', () => {
  it('is listed with what may be run of it, also after a restart, and until it is deleted', async () => {
    await start();
    expect((await ask('GET', '/config')).body.features['web-submit']).toBe(true);
    const id = await upload();
    expect(id).toMatch(/_demo\.mjs$/);
    const listed = {
      id,
      name: 'demo.mjs',
      uploaded: expect.any(Number),
      entry: [
        { name: 'main', description: null },
        { name: 'a', description: null },
        { name: 'b', description: null },
        { name: 'greet', description: null },
      ],
    };
    expect((await ask('GET', '/jars')).body).toEqual({ address: url, files: [listed] });
    const again = await upload();
    expect((await ask('GET', '/jars')).body.files.map((file: { id: string }) => file.id)).toEqual([
      again,
      id,
    ]);
    expect(await ask('DELETE', `/jars/${again}`)).toEqual({ status: 200, body: {} });
    expect((await ask('DELETE', `/jars/${again}`)).status).toBe(400);

    const [{ pid }] = [await cluster.endpoint().then((found) => found!.jobmanager!)];
    process.kill(pid!, 'SIGKILL');
    await session();
    expect((await ask('GET', '/jars')).body.files).toEqual([listed]);
    expect((await ask('DELETE', `/jars/${id}`)).status).toBe(200);
    expect((await ask('GET', '/jars')).body.files).toEqual([]);
    expect(await readdir(cluster.path('work-jobmanager/jars'))).toEqual([]);
  });

  it('is refused where it cannot run, and says why', async () => {
    await start();
    const header = '// fctl application, API 1\n';
    for (const [content, why] of [
      ['PK\u0003\u0004rest', /demo\.mjs: this is a Java archive.*'fctl bundle'/],
      ['hello', /this is no application bundle: make one with 'fctl bundle'/],
      ['// fctl application, API 7\n', /version 7 of the API.*has 1/],
      [header, /defines no job/],
      [`${header}throw new Error('no good');`, /no good/],
      [`${header}process.exit(3);`, /process\.exit\(3\)/],
    ] as const) {
      const { body, status } = await ask('POST', '/jars/upload', form(content));
      expect([status, body.errors]).toEqual([400, [expect.stringMatching(why)]]);
    }
    expect((await ask('GET', '/jars')).body.files).toEqual([]);
    expect(await readdir(cluster.path('work-jobmanager/jars'))).toEqual([]);
  });

  it('has a plan: that of the first job that it would execute, with the arguments given', async () => {
    await start();
    const id = await upload();
    const plan = async (path: string) => (await ask('GET', `/jars/${id}/plan${path}`)).body;
    expect((await plan('')).plan).toMatchObject({ name: 'a', nodes: [{ parallelism: 1 }] });
    const args = encodeURIComponent('--who you --times 2');
    const greeting = await plan(`?entry-class=greet&program-args=${args}&parallelism=2`);
    expect(greeting.plan.name).toBe('greet');
    expect((await ask('POST', `/jars/${id}/plan`, { entryClass: 'greet' })).body.errors[0]).toMatch(
      /job 'greet', argument \/who: expected string, but it is missing/,
    );
    expect((await plan('?program-args=--then%20nothing')).errors[0]).toMatch(/executed no job/);
    expect((await plan('?entry-class=Other')).errors[0]).toBe(
      "this application has no entry 'Other'; it has main, a, b, greet",
    );
    expect((await ask('GET', '/jobs')).body.jobs).toEqual([]);
  });
});

describe('running one', () => {
  it('answers with its first job; main() and its jobs are one application', async () => {
    await start();
    const id = await upload();
    const { body, status } = await ask('POST', `/jars/${id}/run`, { jobId: 'c'.repeat(32) });
    expect([status, body.jobid]).toEqual([200, 'c'.repeat(32)]);
    // The jobs need the bundle, and not the jar.
    expect((await ask('DELETE', `/jars/${id}`)).status).toBe(200);
    await cluster.until(async () => (await ask('GET', '/jobs')).body.jobs.length === 2);
    const running = await application(body.applicationId);
    expect(running).toMatchObject({ name: 'demo', status: 'RUNNING', 'end-time': -1 });
    expect(running.jobs.map((job: { name: string }) => job.name).toSorted()).toEqual(['a', 'b']);
    // It does not wait for its jobs, and neither does its process.
    const pid = Number(cluster.lines('main')[0]!.split(' ')[0]);
    await cluster.until(() => !isAlive(pid));
    cluster.open('gate-a');
    cluster.open('gate-b');
    for (const { jid } of running.jobs) await reaches(jid, 'FINISHED');
    const { applications } = (await ask('GET', '/applications/overview')).body;
    expect(applications).toMatchObject([
      { name: 'demo', status: 'FINISHED', jobs: { FINISHED: 2 } },
    ]);
    expect((await ask('POST', `/applications/${body.applicationId}/cancel`)).status).toBe(409);
  });

  it('takes the arguments that the Web UI sends, which Flink ignores, and the job that is named', async () => {
    await start();
    const id = await upload();
    const typed = {
      programArgs: '--who "you there" --times 2',
      parallelism: '1',
      savepointPath: null,
    };
    const { body, status } = await ask('POST', `/jars/${id}/run?entry-class=greet`, typed);
    expect(status).toBe(200);
    await reaches(body.jobid, 'FINISHED');
    expect(cluster.lines('greeted')).toEqual(['you there', 'you there']);
    expect((await application(body.applicationId)).name).toBe('greet');
  });

  it('says why it has no job', async () => {
    await start();
    const id = await upload();
    const run = async (body: object) => (await ask('POST', `/jars/${id}/run`, body)).body.errors;
    expect((await run({ programArgsList: ['--then', 'throw-first'] }))[0]).toMatch(
      /as told \(.*src\/app\.ts:\d+/,
    );
    expect(await run({ programArgsList: ['--then', 'nothing'] })).toEqual([
      'main() has ended and executed no job',
    ]);
    const { applications } = (await ask('GET', '/applications/overview')).body;
    expect(applications.map((each: { status: string }) => each.status)).toEqual([
      'FINISHED',
      'FAILED',
    ]);
    const failed = applications[1].id;
    const { exceptionHistory } = (await ask('GET', `/applications/${failed}/exceptions`)).body;
    expect(exceptionHistory.entries[0]).toMatchObject({ exceptionName: 'RangeError' });
  });

  it('cancels the jobs of a main() that throws, and the application fails', async () => {
    await start();
    const id = await upload();
    const { body } = await ask('POST', `/jars/${id}/run`, { programArgsList: ['--then', 'throw'] });
    await reaches(body.jobid, 'CANCELED');
    await cluster.until(async () => (await application(body.applicationId)).status === 'FAILED');
    const overview = (await ask('GET', '/applications/overview')).body;
    expect(overview.applications[0].jobs).toEqual({ CANCELED: 1 });
  });

  it('can be cancelled as a whole, whatever main() does', async () => {
    await start();
    const id = await upload();
    const args = { programArgsList: ['{"then":"spin"}'] };
    const { body, status } = await ask('POST', `/jars/${id}/run-application`, args);
    expect(status).toBe(202);
    const { applicationid } = body;
    await cluster.until(async () => (await application(applicationid)).jobs.length === 1);
    expect((await ask('POST', `/applications/${applicationid}/cancel`)).status).toBe(202);
    await cluster.until(async () => (await application(applicationid)).status === 'CANCELED');
    const [job] = (await application(applicationid)).jobs;
    expect(job.state).toBe('CANCELED');
    expect(isAlive(Number(cluster.lines('main')[0]!.split(' ')[0]))).toBe(false);
  });

  it('starts a few main() at a time, however many are asked for at once (A3)', async () => {
    await start();
    const id = await upload();
    const pid = (await cluster.endpoint())!.jobmanager.pid;
    const children = () =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').length;
    // Those that start, and as many that have submitted their job and are about to end.
    const some = 4 * Math.max(2, availableParallelism());
    let most = 0;
    const sampling = setInterval(() => (most = Math.max(most, children())), 5);
    const runs = Array.from({ length: 1.5 * some }, () => ask('POST', `/jars/${id}/run`));
    for (const { status } of await Promise.all(runs)) expect(status).toBe(200);
    clearInterval(sampling);
    expect(most).toBeLessThan(some);
  });

  it('ends with the session', async () => {
    await start();
    const id = await upload();
    await ask('POST', `/jars/${id}/run`, { programArgsList: ['{"then":"spin"}'] });
    await ask('DELETE', '/cluster');
    expect(await cluster.outcome()).toMatchObject({ jobs: [{ name: 'a', state: 'CANCELED' }] });
    expect(isAlive(Number(cluster.lines('main')[0]!.split(' ')[0]))).toBe(false);
  });
});
