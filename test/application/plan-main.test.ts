/** What main() would execute, without a cluster. */
import { describe, expect, test } from 'vitest';
import { type ApplicationContext, collectJobs, defineJob } from '../../src/api/job.ts';
import { types } from '../../src/api/types.ts';
import { type MainPlan, planMain } from '../../src/application/plan-main.ts';
import { CollectSink } from '../../src/connectors/collect/index.ts';
import { CollectionSource } from '../../src/connectors/collection/index.ts';

const define = (name: string) =>
  defineJob(name, { args: types.record({ to: types.string }) }, (env, { to }) => {
    env
      .fromSource(CollectionSource.of([to], { type: types.string }))
      .sinkTo(CollectSink.named('all'));
  });

type Job = ReturnType<typeof define>;

async function plan(
  main: (ctx: ApplicationContext, jobs: { first: Job; second: Job }) => Promise<void>,
  timeoutMs = 60_000,
): Promise<MainPlan> {
  const loaded = await collectJobs(async () => {
    const jobs = { first: define('first'), second: define('second') };
    return { main: (ctx: ApplicationContext) => main(ctx, jobs) };
  });
  const args = { output: 'out' };
  return planMain(loaded, {
    bundleHash: 'b',
    args,
    parallelism: 2,
    workingDirectory: '/',
    timeoutMs,
  });
}

const executed = ({ graphs }: MainPlan) => graphs.map(({ code, name }) => [name, code.args['to']]);

describe('the plan of main()', () => {
  test('has the jobs with the arguments that main() makes, in their order', async () => {
    const found = await plan(async (ctx, { first, second }) => {
      await ctx.execute(first, { to: `${ctx.args['output'] as string}/1` });
      const handle = await ctx.executeAsync(second, { to: 'x' });
      expect(await handle.status()).toBe('FINISHED');
      await ctx.execute(first, { to: 'y' });
    });
    expect(executed(found)).toEqual([
      ['first', 'out/1'],
      ['second', 'x'],
      ['first', 'y'],
    ]);
    expect(found.incomplete).toBeNull();
    expect(found.graphs[0]!.vertices[0]!.parallelism).toBeGreaterThan(0);
  });

  test('has a bigint of main() as text of its digits, and gives the builder the bigint', async () => {
    const seen: unknown[] = [];
    const loaded = await collectJobs(async () => {
      const args = types.record({ id: types.int64 });
      const job = defineJob('job', { args }, (env, { id }) => {
        seen.push(id);
        env
          .fromSource(CollectionSource.of([id], { type: types.int64 }))
          .sinkTo(CollectSink.named('all'));
      });
      return {
        main: async (ctx: ApplicationContext) => {
          await ctx.execute(job, { id: 1234567890123456789n });
        },
      };
    });
    const { graphs } = await planMain(loaded, {
      bundleHash: 'b',
      args: {},
      parallelism: 1,
      workingDirectory: '/',
      timeoutMs: 60_000,
    });
    expect(graphs.map(({ code }) => code.args)).toEqual([{ id: '1234567890123456789' }]);
    expect(new Set(seen)).toEqual(new Set([1234567890123456789n]));
  });

  test('gives main() empty results', async () => {
    const found = await plan(async (ctx, { first }) => {
      const result = await ctx.execute(first, { to: 'a' });
      expect(result.collected('all')).toEqual([]);
      expect(result.accumulators).toEqual({});
    });
    expect(found.incomplete).toBeNull();
  });

  test('says that there may be more where main() fails for want of results', async () => {
    const found = await plan(async (ctx, { first, second }) => {
      const [value] = (await ctx.execute(first, { to: 'a' })).collected<string>('all');
      await ctx.execute(second, { to: value!.trim() });
    });
    expect(executed(found)).toEqual([['first', 'a']]);
    expect(found.incomplete).toMatch(/^main\(\) failed without results of its jobs: .*trim/);
  });

  test('throws what main() throws before its first job', async () => {
    const failed = plan(async () => {
      throw new Error('no output');
    });
    await expect(failed).rejects.toThrow('no output');
    const wrong = plan((ctx, { first }) => ctx.execute(first, {} as never).then(() => {}));
    await expect(wrong).rejects.toThrow('argument /to: expected string, but it is missing');
  });

  test('ends though main() executes jobs for ever, or waits for ever', async () => {
    const endless = await plan(async (ctx, { first }) => {
      for (let i = 0; ; i++) await ctx.execute(first, { to: String(i) });
    });
    expect(endless.graphs).toHaveLength(100);
    expect(endless.incomplete).toBe('main() executes more than 100 jobs');
    const waiting = await plan(async (ctx, { first }) => {
      await ctx.execute(first, { to: 'a' });
      await new Promise(() => {});
    }, 50);
    expect(executed(waiting)).toEqual([['first', 'a']]);
    expect(waiting.incomplete).toBe('main() did not end within 0.05 s');
  });
});
