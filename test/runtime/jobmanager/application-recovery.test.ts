/** Applications whose JobManager is killed, on real processes. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobAttemptsResponse } from '../../../src/contract/fctl-rest.ts';
import { compileJob } from '../../../src/graph/compile.ts';
import { createHttpSubmitter } from '../../../src/application/http-submitter.ts';
import { loadBundle } from '../../../src/application/load-bundle.ts';
import { flinkRoutes } from '../../../src/runtime/rest/flink-routes.ts';
import type { Route } from '../../../src/runtime/rest/router.ts';
import { ApplicationCluster } from './application-cluster.ts';

let cluster: ApplicationCluster;
beforeEach(() => {
  cluster = new ApplicationCluster();
});
afterEach(() => cluster.close());

/**
 * `first` collects what it reads and counts it; `second` writes two lines, the last one once the file
 * `finish` is there.
 * Both write a line for each record. `wait(file)` waits in `main()`.
 */
const jobs = `
import { appendFileSync, existsSync } from 'node:fs';
import { CollectSink, CollectionSource, FileSink, defineJob } from 'fctl';
const note = (file, line) => appendFileSync(here + '/' + file, line + '\\n');
const wait = async (file) => {
  while (!existsSync(here + '/' + file)) await new Promise((resolve) => setTimeout(resolve, 5));
};
const first = defineJob('first', (env) => {
  env.fromSource(CollectionSource.of([1, 2, 3]))
    .map((x, context) => {
      note('first', x);
      context.counter('seen').add();
      return x * 10;
    })
    .sinkTo(CollectSink.named('tens'));
});
const cell = new Int32Array(new SharedArrayBuffer(4));
const second = defineJob('second', (env) => {
  env.fromSource(CollectionSource.of([1, 2]))
    .map((x, context) => {
      note('second', context.attempt);
      while (x === 2 && !existsSync(here + '/finish')) Atomics.wait(cell, 0, 0, 5);
      return String(x);
    })
    .sinkTo(FileSink.text(here + '/out'));
});
const tell = async (ctx) => {
  const { jobId, accumulators, collected } = await ctx.execute(first);
  note('told', JSON.stringify([jobId, accumulators, collected('tens')]));
};`;

describe('an application with two jobs', () => {
  it('goes on between them, and in the second one, when its JobManager is started again', async () => {
    await cluster.application(`${jobs}
      export async function main(ctx) {
        await tell(ctx);
        await wait('go');
        await ctx.execute(second);
      }`);
    await cluster.taskManager();
    const one = await cluster.jobManager();
    await cluster.until(() => cluster.lines('told').length === 1);
    await cluster.kill(one); // between the jobs

    const two = await cluster.jobManager();
    await cluster.until(() => cluster.lines('told').length === 2);
    cluster.open('go');
    await cluster.until(() => cluster.lines('second').length === 2);
    const { rest } = (await cluster.endpoint())!;
    const overview = async (url: string) =>
      ((await (await fetch(`${url}/jobs/overview`)).json()) as { jobs: unknown[] }).jobs;
    expect(await overview(rest)).toMatchObject([
      { name: 'second', state: 'RUNNING' },
      { name: 'first', state: 'FINISHED' },
    ]);
    await cluster.kill(two); // in the second job

    const three = await cluster.jobManager();
    await cluster.until(() => cluster.lines('second').length === 4);
    const [done, again] = await cluster.jobs();
    const attempts = await fetch(
      `${(await cluster.endpoint())!.rest}/fctl/v1/jobs/${again!.id}/attempts`,
    );
    expect((await attempts.json()) as JobAttemptsResponse).toMatchObject({
      name: 'second',
      state: 'RUNNING',
      attempts: [
        { attempt: 0, epoch: 2, state: 'LOST' },
        { attempt: 1, epoch: 3, state: 'RUNNING', endTime: null },
      ],
    });
    cluster.open('finish');
    expect(await cluster.outcome()).toMatchObject({
      status: 'SUCCEEDED',
      epoch: 3,
      jobs: [
        { id: done!.id, name: 'first', state: 'FINISHED', accumulators: { seen: 3 } },
        { id: again!.id, name: 'second', state: 'FINISHED' },
      ],
    });
    expect(cluster.lines('first')).toEqual(['1', '2', '3']); // it has run once
    expect(cluster.lines('second')).toEqual(['0', '0', '1', '1']);
    expect(readdirSync(cluster.path('out'))).toEqual(['part-0.txt']);
    expect(cluster.lines('out/part-0.txt')).toEqual(['1', '2']);
    expect(cluster.lines('told')).toEqual(
      Array(3).fill(JSON.stringify([done!.id, { seen: 3 }, [10, 20, 30]])),
    );
    await cluster.until(() => three.exitCode !== null);
    expect(three.exitCode).toBe(0);
  });

  it('is refused when main() does not execute the same again', async () => {
    await cluster.application(`${jobs}
      export async function main(ctx) {
        const isAgain = existsSync(here + '/again');
        note('again', 'x');
        await ctx.execute(isAgain ? second : first);
        await wait('never');
      }`);
    await cluster.taskManager();
    const one = await cluster.jobManager();
    await cluster.until(async () => (await cluster.jobs())[0]?.outcome?.state === 'FINISHED');
    await cluster.kill(one);
    await cluster.jobManager();
    const { error, status } = await cluster.outcome();
    expect(status).toBe('FAILED');
    expect(error?.message).toContain('main() is not deterministic');
    expect(error?.message).toContain("was job 'first' before the JobManager was restarted");
    expect(error?.message).toContain("it is job 'second' now");
    expect(cluster.lines('second')).toEqual([]);
  });

  it('begins anew once it has ended, and under another release', async () => {
    await cluster.application(`${jobs}
      export async function main(ctx) {
        await tell(ctx);
        await wait('end');
      }`);
    await cluster.taskManager();
    const one = await cluster.jobManager();
    await cluster.until(() => cluster.lines('told').length === 1);
    await cluster.kill(one);
    await cluster.jobManager({ release: 'r2' });
    await cluster.until(() => cluster.lines('told').length === 2);
    expect(cluster.lines('first')).toHaveLength(6);
    const ids = cluster.lines('told').map((line) => (JSON.parse(line) as string[])[0]);
    expect(new Set(ids).size).toBe(2);
    cluster.open('end');
    await cluster.outcome();
    await cluster.jobManager({ release: 'r2' });
    await cluster.taskManager();
    await cluster.until(() => cluster.lines('told').length === 3);
    expect(cluster.lines('first')).toHaveLength(9);
  });
});

describe('cached files', () => {
  const reading = `
    import { appendFileSync, readFileSync } from 'node:fs';
    import { CollectionSource, DiscardSink, defineJob } from 'fctl';
    export const job = defineJob('reading', (env) => {
      env.registerCachedFile('data/words.txt', 'words');
      env.fromSource(CollectionSource.of([1])).map((x, { distributedCache }) => {
        const file = distributedCache.getFile('words');
        appendFileSync(here + '/read', file + ' ' + readFileSync(file, 'utf8') + '\\n');
        return x;
      }).sinkTo(DiscardSink.create());
    });`;

  it('are brought to the machine of the task before it starts', async () => {
    await cluster.application(reading);
    await mkdir(cluster.path('data'));
    await writeFile(cluster.path('data/words.txt'), 'hello');
    await cluster.taskManager();
    await cluster.jobManager();
    expect(await cluster.outcome()).toMatchObject({ status: 'SUCCEEDED' });
    const [file, content] = cluster.lines('read')[0]!.split(' ');
    expect(content).toBe('hello');
    expect(file!.startsWith(cluster.path('work-taskmanager'))).toBe(true);
    expect(existsSync(file!)).toBe(true);
  });

  it('that are missing on the JobManager fail the submission, naming file and mode', async () => {
    await cluster.application(reading);
    await cluster.taskManager();
    await cluster.jobManager();
    const { error, jobs: none, status } = await cluster.outcome();
    expect([status, none]).toEqual(['FAILED', []]);
    for (const text of [
      `the file ${cluster.path('data/words.txt')}, registered as 'words', does not exist`,
      'in application mode it is looked for on the machine of the JobManager',
    ]) {
      expect(error?.message).toContain(text);
    }
  });
});

describe('the jobs of a session whose JobManager was killed', () => {
  it('are listed: LOST where they ran, with every attempt, else as they ended', async () => {
    await cluster.application(`${jobs} export { first, second };`);
    await cluster.taskManager();
    const one = await cluster.jobManager({ mode: 'session', application: null });
    await cluster.until(async () => (await cluster.endpoint()) !== null);
    const before = new SessionClient((await cluster.endpoint())!.rest);
    const [done, lost] = await before.submit(cluster.bundle, ['first', 'second']);
    await cluster.until(() => cluster.lines('second').length === 2);
    await cluster.until(async () => (await cluster.jobs())[0]?.outcome !== null);
    await cluster.kill(one);

    await cluster.jobManager({ mode: 'session', application: null, release: 'r2' });
    await cluster.until(async () => (await cluster.endpoint())!.epoch === 2);
    const { rest } = (await cluster.endpoint())!;
    // It knows of earlier jobs when it is ready, which is after its address is known.
    await cluster.until(async () => (await fetch(`${rest}/fctl/v1/ready`)).ok);
    const after = new SessionClient(rest);
    const { jobs: listed } = await after.get('/jobs/overview');
    expect(listed).toMatchObject([
      { jid: lost, name: 'second', state: 'FAILED', 'fctl-state': 'LOST' },
      { jid: done, name: 'first', state: 'FINISHED' },
    ]);
    expect(listed[1]).not.toHaveProperty('fctl-state');
    expect(await after.get('/overview')).toMatchObject({ 'jobs-failed': 1, 'jobs-finished': 1 });
    expect(await after.get(`/jobs/${lost}`)).toMatchObject({ 'fctl-state': 'LOST' });
    expect(await after.get(`/fctl/v1/jobs/${lost}/attempts`)).toMatchObject({
      state: 'LOST',
      attempts: [{ attempt: 0, epoch: 1, state: 'LOST' }],
    });
    expect(await after.get(`/jobs/${lost}/exceptions`)).toMatchObject({
      exceptionHistory: {
        entries: [{ stacktrace: expect.stringContaining('JobManager of epoch 1 was lost') }],
      },
    });
    expect(await after.get(`/fctl/v1/jobs/${lost}/result?wait=1000`)).toMatchObject({
      outcome: { state: 'LOST', error: { message: expect.stringContaining('submit it again') } },
    });
    expect(await after.get(`/fctl/v1/jobs/${done}/result`)).toMatchObject({
      outcome: { state: 'FINISHED', accumulators: { seen: 3 } },
      collected: {},
      collectedError: expect.stringContaining('sessions do not keep it'),
    });
    expect(await after.cancel(lost!)).toEqual({
      status: 409,
      errors: [`job ${lost} has already reached LOST`],
    });
    for (const id of [done!, lost!]) {
      const answers = await after.readAll(id);
      expect(answers.size).toBeGreaterThan(5);
      expect([...answers].filter(([, status]) => status >= 500)).toEqual([]);
    }
  });
});

// oxlint-disable typescript/no-explicit-any -- answers of many shapes
class SessionClient {
  readonly #rest: string;

  constructor(rest: string) {
    this.#rest = rest;
  }

  async get(path: string): Promise<any> {
    const answer = await fetch(this.#rest + path);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** Uploads the bundle and submits these jobs of it. @returns their ids. */
  async submit({ file, hash }: { file: string; hash: string }, names: string[]) {
    const submitter = createHttpSubmitter({
      restUrl: this.#rest,
      token: null,
      epoch: 1,
      secrets: [],
    });
    try {
      if (!(await submitter.has(hash))) await submitter.upload(hash, file);
      const { registry } = await loadBundle(file);
      const ids: string[] = [];
      for (const [executeIndex, name] of names.entries()) {
        const { graph } = compileJob(
          registry.jobs.get(name)!,
          {},
          { bundleHash: hash, parallelism: 1 },
        );
        const jobId = String(executeIndex).padStart(32, '0');
        ids.push(await submitter.submit({ jobId, graph, executeIndex }));
      }
      return ids;
    } finally {
      submitter.close();
    }
  }

  async cancel(jobId: string): Promise<unknown> {
    const answer = await fetch(`${this.#rest}/jobs/${jobId}`, { method: 'PATCH' });
    return { status: answer.status, ...((await answer.json()) as object) };
  }

  /** What is answered to all that one may ask about the job: status by path. */
  async readAll(jobId: string): Promise<ReadonlyMap<string, number>> {
    const { vertices } = await this.get(`/jobs/${jobId}`);
    const below = (route: Route) =>
      route.pattern
        .replace(':jobid', jobId)
        .replace(':vertexid', vertices[0].id as string)
        .replace(':subtaskindex', '0');
    const paths = flinkRoutes
      .filter(({ method, pattern }) => method === 'GET' && pattern.startsWith('/jobs/:jobid'))
      .map(below)
      .filter((path) => !path.includes(':'));
    const answers = new Map<string, number>();
    for (const path of paths) answers.set(path, (await fetch(this.#rest + path)).status);
    return answers;
  }
}
