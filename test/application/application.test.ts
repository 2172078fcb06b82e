import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  type ApplicationContext,
  JobExecutionError,
  type JobHandle,
  collectJobs,
  defineJob,
} from '../../src/api/job.ts';
import { types } from '../../src/api/types.ts';
import type { JobOutcome } from '../../src/contract/outcome.ts';
import type { JobResultResponse } from '../../src/contract/fctl-rest.ts';
import {
  type JobSubmission,
  type JobSubmitter,
  findApplicationProblems,
  runApplication,
} from '../../src/application/application.ts';
import { numbers, options, out } from '../graph/jobs.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A cluster on which a job ends when the test says so. */
class ManualCluster implements JobSubmitter {
  readonly submitted: JobSubmission[] = [];
  readonly blobs = new Map<string, string>();
  uploads = 0;
  readonly #ends = new Map<string, PromiseWithResolvers<JobResultResponse>>();
  #arrival = Promise.withResolvers<void>();

  async submit({ executeIndex, graph, jobId }: JobSubmission): Promise<string> {
    this.submitted.push({ jobId, graph, executeIndex });
    this.#ends.set(jobId, Promise.withResolvers());
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
    return jobId;
  }

  async has(hash: string): Promise<boolean> {
    return this.blobs.has(hash);
  }

  async upload(hash: string, file: string): Promise<void> {
    this.uploads++;
    this.blobs.set(hash, await readFile(file, 'utf8'));
  }

  /** Resolves once so many jobs were submitted. */
  async arrived(count: number): Promise<void> {
    while (this.submitted.length < count) await this.#arrival.promise;
  }

  end(index: number, state: 'FINISHED' | 'FAILED' | 'CANCELED' = 'FINISHED'): void {
    const { jobId, graph } = this.submitted[index]!;
    const error =
      state === 'FAILED'
        ? { message: 'division by zero', stack: null, task: 'Map (1/2)', location: null }
        : null;
    const outcome: JobOutcome = {
      id: jobId,
      name: graph.name,
      state,
      startTime: 1000,
      endTime: 1500,
      error,
      accumulators: { lines: 7 },
      vertices: [],
    };
    this.#ends.get(jobId)!.resolve({ jobId, outcome, collected: { top: [1, 2] } });
  }

  async status(): Promise<string> {
    return 'RUNNING';
  }

  async cancel(jobId: string): Promise<void> {
    this.end(
      this.submitted.findIndex((job) => job.jobId === jobId),
      'CANCELED',
    );
  }

  result(jobId: string): Promise<JobResultResponse> {
    return this.#ends.get(jobId)!.promise;
  }
}

const finished: JobOutcome = {
  id: 'f'.repeat(32),
  name: 'copy',
  state: 'FINISHED',
  startTime: 1,
  endTime: 2,
  error: null,
  accumulators: {},
  vertices: [],
};

const place = { mode: 'application', workingDirectory: '/nowhere' } as const;
const input = types.record({ input: types.string });

async function load(main?: (ctx: ApplicationContext, job: ReturnType<typeof copyJob>) => unknown) {
  const { exports, registry } = await collectJobs(async () => {
    const job = copyJob();
    return { job, ...(main ? { main: (ctx: ApplicationContext) => main(ctx, job) } : {}) };
  });
  const cluster = new ManualCluster();
  const run = (args = {}) =>
    runApplication(exports, registry, { ...options, ...place, args, submitter: cluster });
  return { exports, registry, cluster, run };
}

function copyJob() {
  return defineJob(
    'copy',
    { args: input },
    (env, args) => void env.fromSource(numbers({ path: args.input })).sinkTo(out()),
  );
}

describe('an application without main()', () => {
  test('runs its only job with the arguments of the config, to its end', async () => {
    const { cluster, run } = await load();
    const running = run({ input: 'a.csv' });
    await cluster.arrived(1);
    const [{ graph, jobId }] = cluster.submitted as [JobSubmission];
    expect(graph).toMatchObject({
      name: 'copy',
      code: { bundleHash: options.bundleHash, args: { input: 'a.csv' } },
    });
    expect(jobId).toMatch(/^[0-9a-f]{32}$/);
    cluster.end(0);
    await running;
  });

  test('fails when its job does', async () => {
    const { cluster, run } = await load();
    const running = run({ input: 'a.csv' });
    const failed = expect(running).rejects.toThrow(
      "job 'copy' failed in Map (1/2): division by zero",
    );
    await cluster.arrived(1);
    cluster.end(0, 'FAILED');
    await failed;
  });

  test('names wrong arguments where they are in the config', async () => {
    const { run, cluster } = await load();
    await expect(run({ inptu: 'a' })).rejects.toMatchObject({
      problems: [
        { path: '/application/args/input' },
        { path: '/application/args/inptu', hint: "did you mean 'input'?" },
      ],
    });
    expect(cluster.submitted).toEqual([]);
  });
});

describe('main()', () => {
  test('gets the results of what it executes, one job after the other', async () => {
    const results: unknown[] = [];
    const { cluster, run } = await load(async (ctx, job) => {
      for (const name of ['a', 'b']) {
        const result = await ctx.execute(job, { input: `${ctx.args['folder'] as string}/${name}` });
        results.push([result.name, result.runtimeMs, result.accumulators, result.collected('top')]);
        expect(() => result.collected('flop')).toThrow("job 'copy' has no collect sink 'flop'");
      }
    });
    const running = run({ folder: 'data' });
    await cluster.arrived(1);
    cluster.end(0);
    await cluster.arrived(2);
    expect(cluster.submitted.map(({ graph }) => graph.code.args)).toEqual([
      { input: 'data/a' },
      { input: 'data/b' },
    ]);
    cluster.end(1);
    await running;
    expect(results).toEqual(Array(2).fill(['copy', 500, { lines: 7 }, [1, 2]]));
  });

  test('may return before its jobs have ended; the application does not', async () => {
    const submitted = Promise.withResolvers<JobHandle>();
    const { cluster, run } = await load(async (ctx, job) =>
      submitted.resolve(await ctx.executeAsync(job, { input: 'a' })),
    );
    let ended = false;
    const running = run().then(() => (ended = true));
    await expect((await submitted.promise).status()).resolves.toBe('RUNNING');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    cluster.end(0);
    await running;
  });

  test('that asked for nothing: a job that fails fails the application', async () => {
    const { cluster, run } = await load(
      async (ctx, job) => void (await ctx.executeAsync(job, { input: 'a' })),
    );
    const failed = expect(run()).rejects.toBeInstanceOf(JobExecutionError);
    await cluster.arrived(1);
    cluster.end(0, 'FAILED');
    await failed;
  });

  test('that did not even wait for the submission: the job still counts', async () => {
    const { cluster, run } = await load((ctx, job) => void ctx.executeAsync(job, { input: 'a' }));
    const failed = expect(run()).rejects.toThrow("job 'copy' was cancelled");
    await cluster.arrived(1);
    cluster.end(0, 'CANCELED');
    await failed;
  });

  test('that asked for nothing: the first failure ends it, whatever still runs', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      for (const input of ['a', 'b']) await ctx.executeAsync(job, { input });
    });
    const failed = expect(run()).rejects.toThrow("job 'copy' was cancelled");
    await cluster.arrived(2);
    cluster.end(1, 'CANCELED'); // the first one never ends
    await failed;
  });

  test('overlaps jobs by executeAsync, and waits for all of them', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      await Promise.all(['a', 'b', 'c'].map((input) => ctx.executeAsync(job, { input })));
    });
    let ended = false;
    const running = run().then(() => (ended = true));
    await cluster.arrived(3);
    for (const index of [2, 0]) cluster.end(index);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    cluster.end(1);
    await running;
  });

  test('numbers what it executes in the order of the calls, refused ones included', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      const refused = expect(ctx.executeAsync(job, { input: [5] as never })).rejects.toThrow();
      await Promise.all([ctx.executeAsync(job, { input: 'b' }), refused]);
      await ctx.execute(job, { input: 'c' });
    });
    const running = run();
    await cluster.arrived(2);
    expect(
      cluster.submitted.map(({ executeIndex, graph }) => [executeIndex, graph.code.args]),
    ).toEqual([
      [1, { input: 'b' }],
      [2, { input: 'c' }],
    ]);
    for (const index of [0, 1]) cluster.end(index);
    await running;
  });

  test('knows a job by the id that the cluster has it under', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      const handle = await ctx.executeAsync(job, { input: 'a' });
      expect(handle.jobId).toBe('e'.repeat(32));
      expect((await handle.result()).jobId).toBe('e'.repeat(32));
    });
    cluster.submit = async () => 'e'.repeat(32);
    const outcome = { ...finished, id: 'e'.repeat(32) };
    cluster.result = async (jobId) => ({ jobId, outcome, collected: {} });
    await run();
  });

  test('is told why what an earlier run collected is gone', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      const result = await ctx.execute(job, { input: 'a' });
      expect(() => result.collected('top')).toThrow('too much');
      expect(() => result.accumulators).toThrow('long ago');
      expect(result.runtimeMs).toBe(1);
    });
    cluster.result = async (jobId) => ({
      jobId,
      outcome: finished,
      collected: {},
      collectedError: 'too much',
      accumulatorsError: 'long ago',
    });
    await run();
  });

  test('may execute jobs for ever: what they gave goes once it has heard of it', async () => {
    const given: WeakRef<object>[] = [];
    const { cluster, run } = await load(async (ctx, job) => {
      for (let i = 0; i < 20; i++) await ctx.execute(job, { input: 'a' });
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      // The last one may still be on the stack.
      expect(given.filter((one) => one.deref() !== undefined).length).toBeLessThan(3);
    });
    cluster.result = async (jobId) => {
      const collected = { top: [1, 2] };
      given.push(new WeakRef(collected));
      return { jobId, outcome: finished, collected };
    };
    await run();
    expect(given).toHaveLength(20);
  });

  test('may handle the failure of a job', async () => {
    const { cluster, run } = await load(async (ctx, job) => {
      await ctx
        .execute(job, { input: 'a' })
        .catch((error: JobExecutionError) => expect(error.outcome.state).toBe('FAILED'));
    });
    const running = run();
    await cluster.arrived(1);
    cluster.end(0, 'FAILED');
    await running;
  });

  test('may cancel a job, and waits for its end', async () => {
    const { run, cluster } = await load(async (ctx, job) => {
      const handle = await ctx.executeAsync(job, { input: 'a' });
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow("job 'copy' was cancelled");
    });
    await run();
    expect(cluster.submitted).toHaveLength(1);
  });

  test('that throws fails the application with what it threw', async () => {
    const cause = new Error('no files');
    const { run } = await load(() => {
      throw cause;
    });
    await expect(run()).rejects.toBe(cause);
  });

  test('cannot define jobs, nor run what is not defined', async () => {
    await expect((await load(() => defineJob('late', () => {}))).run()).rejects.toThrow(
      /defined too late/,
    );
    const other = copyJob();
    const { run } = await load((ctx) => ctx.execute(other, { input: 'a' }));
    await expect(run()).rejects.toThrow(
      'execute needs a job that defineJob(…) made at the top level of the application: copy',
    );
  });

  test('sees wrong arguments before anything is submitted, without a place in the config', async () => {
    const { run, cluster } = await load((ctx, job) => ctx.execute(job, { input: [5] as never }));
    await expect(run()).rejects.toMatchObject({
      problems: [{ path: null, message: expect.stringContaining('expected string, got a list') }],
    });
    const circle: Record<string, unknown> = {};
    circle['input'] = circle;
    const { run: runCircle } = await load((ctx, job) => ctx.execute(job, circle as never));
    await expect(runCircle()).rejects.toThrow(/job 'copy': its arguments are not JSON/);
    expect(cluster.submitted).toEqual([]);
  });
});

describe('an application that cannot run', () => {
  const problemsOf = async (names: readonly string[], main?: () => void) => {
    const { exports, registry } = await collectJobs(async () => {
      for (const name of names) defineJob(name, () => {});
      return main ? { main } : {};
    });
    return findApplicationProblems(exports, registry);
  };

  test('says why', async () => {
    expect(await problemsOf([])).toEqual([
      'the application defines no job: call defineJob(…) at the top level of its entry',
    ]);
    expect(await problemsOf(['a', 'b'])).toEqual([
      'the application defines several jobs (a, b) and no main(): export a main() that says which to run',
    ]);
    expect(await problemsOf(['a', 'a'], () => {})).toEqual([
      `two jobs have the name 'a': give one of them another`,
    ]);
    expect(await problemsOf(['a', 'b'], () => {})).toEqual([]);
  });

  test('is refused', async () => {
    const { exports, registry } = await collectJobs(async () => ({}));
    const run = runApplication(exports, registry, {
      ...options,
      ...place,
      args: {},
      submitter: new ManualCluster(),
    });
    await expect(run).rejects.toMatchObject({
      problems: [{ code: 'application-invalid', path: '/application/entry' }],
    });
  });
});
