import { readDocument } from '../../../src/record/record.ts';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobOutcome } from '../../../src/contract/outcome.ts';
import type { OutcomeDocument } from '../../../src/record/documents.ts';
import type { JobManagerConfig } from '../../../src/contract/runtime-config.ts';
import { bundleApplication } from '../../../src/packaging/bundle.ts';
import type { RecordStore } from '../../../src/record/store.ts';
import { openRecord } from '../../../src/runtime/ha/record.ts';
import type { ClusterView } from '../../../src/runtime/jobmanager/views/cluster-view.ts';
import { type JobManager, startJobManager } from '../../../src/runtime/jobmanager/job-manager.ts';
import type { RestServer } from '../../../src/runtime/jobmanager/job-manager-options.ts';
import { Journal } from '../../../src/runtime/jobmanager/dispatcher/journal.ts';
import type { TaskManagerApi } from '../../../src/runtime/rpc/protocol.ts';
import { type Clock, systemClock } from '../../../src/contract/clock.ts';
import {
  connectFakeTaskManager,
  type FakeTaskManager,
  finishing,
  obedient,
} from './fake-task-manager.ts';
import { pipeline } from './graphs.ts';
import { applicationScript, isAlive } from './processes.ts';
import { silentLogger } from './silent-logger.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

const clusterId = 'flights';
const token = 't';
let directory: string;
let record: RecordStore;
let view: ClusterView;
let printed: string;
let running: JobManager[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fctl-jm-'));
  await mkdir(join(directory, 'src'));
  record = openRecord(pathToFileURL(join(directory, 'record')).href);
  printed = '';
  running = [];
});

afterEach(async () => {
  for (const jobManager of running) {
    jobManager.cancel('the test is over');
    await jobManager.ended.catch(() => {});
  }
  await rm(directory, { recursive: true });
});

/** REST as far as `main()` uses it. */
async function createMinimalRest(clusterView: ClusterView): Promise<RestServer> {
  view = clusterView;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x');
    const answer = (body: unknown) => response.end(JSON.stringify(body));
    if (request.method === 'POST') {
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => void view.submitJob(JSON.parse(text)).then(answer));
    } else {
      void view.jobResult(pathname.split('/')[4]!, 60_000).then(answer);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function configFor(
  main: string | null,
  overrides: Partial<JobManagerConfig> = {},
): Promise<JobManagerConfig> {
  const entry = join(directory, 'src', 'app.ts');
  const options = { entry, projectDir: directory, cacheDir: join(directory, 'bundles') };
  if (main !== null) await writeFile(entry, main);
  const bundle = main === null ? null : await bundleApplication(options);
  const application = bundle && {
    bundleHash: bundle.hash,
    bundleFile: bundle.file,
    workingDirectory: directory,
    args: {},
    secretArgsFile: null,
    secretArgsHash: null,
  };
  return {
    protocol: 1,
    clusterId,
    release: 'r1',
    resourceId: 'jobmanager-0',
    record: pathToFileURL(join(directory, 'record')).href,
    heartbeat: { intervalMs: 50, timeoutMs: 10_000 },
    logging: { level: 'info', directory: join(directory, 'logs'), maxSizeBytes: 1e6, maxFiles: 1 },
    auth: 'token',
    role: 'jobmanager',
    mode: 'application',
    rest: { bind: '127.0.0.1', port: 0, maxBodyBytes: 1e6, hosts: [], allowedOrigins: [] },
    taskManagers: 0,
    slotRequestTimeoutMs: 10_000,
    loadBalanceMode: 'none',
    restart: { strategy: 'none' },
    maxConcurrentRestarts: 10,
    submissionTimeoutMs: 60_000,
    cancellationTimeoutMs: 10_000,
    workDir: join(directory, 'work'),
    application,
    parallelism: 1,
    storage: { scope: 'common', shared: [] },
    network: {
      bufferTimeoutMs: 0,
      bufferSizeBytes: 1024,
      channelCreditBytes: 1024,
      maxFrameBytes: 1024 * 1024,
    },
    effectiveConfig: { 'taskmanager.slots': '1' },
    ...overrides,
  };
}

async function start(
  main: string | null,
  overrides: Partial<JobManagerConfig> = {},
  clock: Clock = systemClock,
): Promise<JobManager> {
  const config = await configFor(main, overrides);
  const jobManager = await startJobManager({
    config,
    token,
    applicationScript,
    createRestServer: createMinimalRest,
    secretArgs: {},
    redactor: new Redactor(),
    logger: silentLogger,
    output: { write: (text) => void (printed += String(text)), close: () => {} },
    clock,
  });
  running.push(jobManager);
  return jobManager;
}

const endpoint = async () => (await readDocument(record, 'endpoint')).value!;
const outcome = async () => (await readDocument(record, 'outcome')).value;

async function taskManager(
  behaviour: (self: FakeTaskManager) => Partial<TaskManagerApi>,
  index = 0,
): Promise<FakeTaskManager> {
  const { epoch, rpc: url } = await endpoint();
  return connectFakeTaskManager({
    url,
    token,
    clusterId,
    epoch,
    id: `taskmanager-${index}/1`,
    slots: 1,
    behaviour,
  });
}

const app = (main = '') => `
import { existsSync } from 'node:fs';
import { CollectionSource, defineJob, DiscardSink } from 'fctl';
const job = defineJob('job', (env) => {
  env.fromSource(CollectionSource.of([1, 2])).sinkTo(DiscardSink.create());
});
${main}`;

/** Pid of the process of `main()`, which prints it. */
async function printedPid(): Promise<number> {
  await expect.poll(() => printed).toMatch(/pid \d+/);
  return Number(/pid (\d+)/.exec(printed)![1]);
}

describe('an application', () => {
  it('runs to its end: outcome first, then TaskManagers are dismissed, then nothing is left', async () => {
    const jobManager = await start(
      app(`export const main = async (ctx) => {
      console.log('pid', process.pid);
      await ctx.execute(job);
    }`),
    );
    const { epoch, jobmanager, rest, rpc } = await endpoint();
    expect([epoch, jobmanager!.pid]).toEqual([1, process.pid]);
    expect([rest, rpc]).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      `ws${rest.slice(4)}/fctl/v1/rpc`,
    ]);
    let outcomeAtDismissal: OutcomeDocument | null = null;
    const worker = await taskManager((self) => ({
      ...finishing(self),
      dismiss: async () => {
        outcomeAtDismissal = await outcome();
      },
    }));
    expect(await jobManager.ended).toEqual({ type: 'ended', status: 'SUCCEEDED' });
    expect(outcomeAtDismissal).toMatchObject({
      status: 'SUCCEEDED',
      epoch: 1,
      error: null,
      jobs: [{ name: 'job', state: 'FINISHED' }],
    });
    expect(await worker.connection.closed).toMatchObject({ type: 'connection-lost' });
    expect(isAlive(await printedPid())).toBe(false);
    await expect(fetch(rest)).rejects.toThrow();
    expect(view.info().application).toMatchObject({ status: 'SUCCEEDED', error: null });
  });

  it('that ends before its TaskManagers have come waits for them, to dismiss them', async () => {
    const jobManager = await start(app('export const main = async () => {};'), { taskManagers: 1 });
    await expect.poll(outcome).toMatchObject({ status: 'SUCCEEDED' });
    const late = await taskManager(finishing);
    await jobManager.ended;
    expect(late.count('dismiss')).toBe(1);
  });

  it('that is cancelled waits for nobody once its platform ends it', async () => {
    const jobManager = await start(
      app('export const main = () => new Promise((r) => setTimeout(r, 60_000));'),
      { taskManagers: 1 },
      { ...systemClock, after: () => () => {} }, // whoever waits waits for ever
    );
    jobManager.cancel('a test');
    await expect.poll(outcome).toMatchObject({ status: 'CANCELED' });
    await jobManager.terminate('SIGTERM');
    expect(await jobManager.ended).toEqual({ type: 'ended', status: 'CANCELED' });
  });

  it('that is ended by its platform goes on under the next JobManager', async () => {
    const twice = app(`export const main = async (ctx) => {
      console.log('pid', process.pid);
      await ctx.execute(job);
      await ctx.execute(job);
    }`);
    const first = await start(twice);
    const stuck = await taskManager((self) => ({
      // Its second job does not end.
      deployTasks: async (deployment) =>
        self.count('deployTasks') > 1 ? undefined : finishing(self).deployTasks!(deployment),
    }));
    await expect.poll(() => stuck.count('deployTasks')).toBe(2);
    await first.terminate('SIGTERM');
    expect(await first.ended).toEqual({ type: 'suspended' });
    expect(await outcome()).toBe(null);
    expect(stuck.count('dismiss')).toBe(0);
    expect(isAlive(await printedPid())).toBe(false);
    const jobs = async () => (await readDocument(record, 'jobs')).value!.jobs;
    expect((await jobs()).map((job) => job.outcome?.state)).toEqual(['FINISHED', undefined]);
    const next = await start(twice);
    const worker = await taskManager(finishing);
    expect(await next.ended).toEqual({ type: 'ended', status: 'SUCCEEDED' });
    expect(worker.count('deployTasks')).toBe(1);
    expect((await jobs()).map(({ attempts }) => attempts.length)).toEqual([1, 2]);
  });

  it('that is terminated for another release leaves its TaskManagers to the next one', async () => {
    const jobManager = await start(
      app('export const main = () => new Promise((r) => setTimeout(r, 60_000));'),
    );
    const worker = await taskManager(finishing);
    await record.write('releases', { releases: [{ afterEpoch: 1 }] }, null);
    await jobManager.terminate('SIGTERM');
    expect(await jobManager.ended).toEqual({ type: 'replaced' });
    expect(worker.count('dismiss')).toBe(0);
  });

  it('that throws fails, and its running jobs are cancelled', async () => {
    const jobManager = await start(
      app(`export const main = async (ctx) => {
      await ctx.executeAsync(job);
      while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error('no such airport');
    }`),
    );
    const worker = await taskManager(obedient);
    await worker.called('deployTasks');
    await writeFile(join(directory, 'go'), '');
    expect(await jobManager.ended).toEqual({ type: 'ended', status: 'FAILED' });
    expect(await outcome()).toMatchObject({
      status: 'FAILED',
      error: { message: 'no such airport', stack: expect.stringContaining('app.ts:') },
      jobs: [{ state: 'CANCELED' }],
    });
    expect(worker.count('dismiss')).toBe(1);
  });

  it('whose main() is killed fails, and its running jobs are cancelled', async () => {
    const jobManager = await start(
      app(`export const main = (ctx) => {
      console.log('pid', process.pid);
      return ctx.execute(job);
    }`),
    );
    const worker = await taskManager(obedient);
    await worker.called('deployTasks');
    process.kill(await printedPid(), 'SIGKILL');
    await jobManager.ended;
    expect(await outcome()).toMatchObject({
      status: 'FAILED',
      error: { message: 'the process of main() was killed (SIGKILL)' },
      jobs: [{ state: 'CANCELED' }],
    });
  });

  it('that is cancelled ends CANCELED at once, also when main() spins, and only once', async () => {
    const jobManager = await start(
      app(`export const main = async (ctx) => {
      await ctx.executeAsync(job);
      console.log('pid', process.pid);
      for (;;) {}
    }`),
    );
    const worker = await taskManager(obedient);
    await worker.called('deployTasks');
    const pid = await printedPid();
    expect(view.cancelApplication()).toEqual({ type: 'accepted' });
    expect(view.cancelApplication()).toEqual({ type: 'accepted' });
    jobManager.cancel('again');
    expect(await jobManager.ended).toEqual({ type: 'ended', status: 'CANCELED' });
    expect(await outcome()).toMatchObject({
      status: 'CANCELED',
      error: null,
      jobs: [{ state: 'CANCELED' }],
    });
    expect((await readDocument(record, 'outcome')).version).toBe('1');
    expect(isAlive(pid)).toBe(false);
    expect(view.cancelApplication()).toMatchObject({ type: 'refused', reason: 'conflict' });
  });

  it('whose job is cancelled ends CANCELED', async () => {
    const jobManager = await start(app());
    const worker = await taskManager(obedient);
    await worker.called('deployTasks');
    expect(view.cancelJob(view.jobs()[0]!.id)).toEqual({ type: 'accepted' });
    expect(await jobManager.ended).toEqual({ type: 'ended', status: 'CANCELED' });
  });

  it('without any TaskManager fails after the slot request timeout, saying so', async () => {
    const jobManager = await start(app(), { slotRequestTimeoutMs: 50 });
    await jobManager.ended;
    expect(await outcome()).toMatchObject({
      status: 'FAILED',
      error: { message: expect.stringContaining('needs 1 slot, no TaskManager is registered') },
      jobs: [{ state: 'FAILED' }],
    });
  });

  it('shows its TaskManagers and jobs meanwhile', async () => {
    await start(app());
    const worker = await taskManager(obedient);
    await worker.called('deployTasks');
    expect(view.overview()).toEqual({
      taskManagers: 1,
      slotsTotal: 1,
      slotsAvailable: 0,
      jobsRunning: 1,
      jobsFinished: 0,
      jobsCancelled: 0,
      jobsFailed: 0,
    });
    const [job] = view.jobs();
    expect(view.taskManagers()).toMatchObject([
      {
        name: 'taskmanager-0',
        host: '127.0.0.1',
        dataPort: 1000,
        slots: 1,
        freeSlots: 0,
        allocations: [{ jobId: job!.id, slotIndex: 0, assignedTasks: 1 }],
      },
    ]);
    expect(view.job(job!.id)).toMatchObject({
      name: 'job',
      state: 'RUNNING',
      endTime: -1,
      attempt: 0,
    });
    expect(view.info()).toMatchObject({
      clusterId,
      epoch: 1,
      mode: 'application',
      application: { status: 'RUNNING' },
    });
    expect([view.ready, view.effectiveConfig]).toEqual([true, { 'taskmanager.slots': '1' }]);
  });
});

describe('leadership', () => {
  it('of a newer JobManager ends this one, which writes nothing more (M3)', async () => {
    const jobManager = await start(
      app(`export const main = (ctx) => {
      console.log('pid', process.pid);
      for (;;) {}
    }`),
    );
    const pid = await printedPid();
    const { value, version } = await readDocument(record, 'endpoint');
    await record.write('endpoint', { ...value, epoch: 2 }, version);
    expect(await jobManager.ended).toMatchObject({ type: 'fenced' });
    expect(await outcome()).toBeNull();
    expect(isAlive(pid)).toBe(false);
    await expect(fetch(value!.rest)).rejects.toThrow();
  });

  it('is noticed at the latest when the outcome is written', async () => {
    const jobManager = await start(null, {
      heartbeat: { intervalMs: 1_000_000, timeoutMs: 1_000_000 },
    });
    const { value, version } = await readDocument(record, 'endpoint');
    await record.write('endpoint', { ...value, epoch: 2 }, version);
    jobManager.cancel('test');
    expect(await jobManager.ended).toMatchObject({ type: 'fenced' });
    expect(await outcome()).toBeNull();
  });

  it('has a higher epoch with every JobManager', async () => {
    const first = await start(null);
    first.cancel('test');
    await first.ended;
    await start(null);
    expect((await endpoint()).epoch).toBe(2);
    expect((await outcome())?.epoch).toBe(1);
  });
});

describe('a per-job cluster whose JobManager is started again', () => {
  const outcomeOf = (state: string): JobOutcome => ({
    id: 'a'.repeat(32),
    name: 'job',
    state,
    startTime: 1000,
    endTime: 2000,
    error: null,
    accumulators: { lines: 7 },
    vertices: [],
  });

  it.each([
    ['FINISHED', 'SUCCEEDED', outcomeOf('FINISHED'), null],
    ['CANCELED', 'CANCELED', outcomeOf('CANCELED'), null],
    ['LOST', 'FAILED', null, { message: expect.stringContaining('was lost while the job ran') }],
  ])('ends by what is known of its job: %s, %s', async (state, status, ended, error) => {
    const journal = new Journal({
      record,
      epoch: 1,
      release: 'r1',
      resourceId: 'jobmanager-0/1',
      mode: 'per-job',
      redactor: new Redactor(),
      clock: systemClock,
    });
    await journal.admit({ jobId: 'a'.repeat(32), graph: pipeline('job', 1), executeIndex: 0 });
    if (ended !== null) await journal.ended(ended, {});
    await record.write('endpoint', { epoch: 1 }, null);
    const jobManager = await start(null, { mode: 'per-job' });
    expect(await jobManager.ended).toEqual({ type: 'ended', status });
    expect(await outcome()).toMatchObject({ status, error, jobs: [{ name: 'job', state }] });
    const next = await start(null, { mode: 'per-job' }); // a cluster of that name for the next job
    expect(view.jobs()).toEqual([]);
    next.cancel('test');
    expect(await next.ended).toEqual({ type: 'ended', status: 'CANCELED' });
  });
});

describe('what goes wrong', () => {
  it('at the start is thrown, and nothing is published', async () => {
    const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    const options = {
      config: await configFor(null),
      token,
      applicationScript,
      createRestServer: () => Promise.reject(taken),
      secretArgs: {},
      redactor: new Redactor(),
      logger: silentLogger,
      output: { write: () => {}, close: () => {} },
      clock: systemClock,
    };
    await expect(startJobManager(options)).rejects.toBe(taken);
    await expect(readdir(join(directory, 'record'))).rejects.toThrow(/ENOENT/);
  });

  it('writing the outcome is told, and leaves the TaskManagers to the JobManager that is started again', async () => {
    const jobManager = await start(null);
    const worker = await taskManager(obedient);
    await rm(join(directory, 'record'), { recursive: true });
    await writeFile(join(directory, 'record'), 'this is no folder');
    jobManager.cancel('test');
    await expect(jobManager.ended).rejects.toThrow();
    expect(worker.count('dismiss')).toBe(0);
    running = [];
  });
});
