/** What `main()` may do, on real processes: the table in docs/architecture.md. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ClusterInfo } from '../../src/contract/fctl-rest.ts';
import { ApplicationCluster } from '../runtime/jobmanager/application-cluster.ts';

let cluster: ApplicationCluster;
beforeEach(() => {
  cluster = new ApplicationCluster();
});
afterEach(() => cluster.close());

/** `held(name)` runs until the file of that name is there; `quick` counts and collects. */
const jobs = `
import { appendFileSync, existsSync } from 'node:fs';
import { CollectSink, CollectionSource, DiscardSink, defineJob } from 'fctl';
const note = (file, line) => appendFileSync(here + '/' + file, line + '\\n');
const cell = new Int32Array(new SharedArrayBuffer(4));
const held = (name) => defineJob(name, (env) => {
  env.fromSource(CollectionSource.of([1]))
    .map((x) => {
      note('started', name);
      while (!existsSync(here + '/' + name)) Atomics.wait(cell, 0, 0, 5);
      return x;
    })
    .sinkTo(DiscardSink.create());
});
const a = held('a');
const b = held('b');
const quick = defineJob('quick', (env) => {
  env.fromSource(CollectionSource.of([1, 2]))
    .map((x, context) => { context.counter('seen').add(x); return x; })
    .sinkTo(CollectSink.named('all'));
});`;

async function start(main: string): Promise<void> {
  await cluster.application(`${jobs}\n${main}`);
  await Promise.all([cluster.taskManager(), cluster.jobManager()]);
}

const started = (...names: string[]) =>
  cluster.until(() => cluster.lines('started').toSorted().join() === names.join());

const statesOf = async () => (await cluster.outcome()).jobs.map(({ name, state }) => [name, state]);

it('executeAsync overlaps jobs; the application ends after main() and all of them', async () => {
  await start(`export async function main(ctx) {
    await ctx.executeAsync(a);
    await ctx.executeAsync(b);
    note('returned', 'x');
  }`);
  await started('a', 'b');
  expect(cluster.lines('returned')).toEqual(['x']);
  cluster.open('b');
  await cluster.until(async () => (await cluster.jobs())[1]?.outcome?.state === 'FINISHED');
  expect(await cluster.hasOutcome()).toBe(false);
  cluster.open('a');
  expect(await cluster.outcome()).toMatchObject({ status: 'SUCCEEDED' });
  expect(await statesOf()).toEqual([
    ['a', 'FINISHED'],
    ['b', 'FINISHED'],
  ]);
});

it('execute runs one job after the other', async () => {
  await start(`export async function main(ctx) {
    await ctx.execute(a);
    note('started', 'between');
    await ctx.execute(b);
  }`);
  await started('a');
  expect(await cluster.jobs()).toHaveLength(1);
  for (const name of ['a', 'b']) cluster.open(name);
  await cluster.outcome();
  expect(cluster.lines('started')).toEqual(['a', 'between', 'b']);
});

it('a job that is cancelled when main() is over ends the application, and the other jobs', async () => {
  await start(`export async function main(ctx) {
    await ctx.executeAsync(a);
    await ctx.executeAsync(b);
  }`);
  await started('a', 'b');
  const { rest } = (await cluster.endpoint())!;
  const second = (await cluster.jobs()).find(({ name }) => name === 'b')!;
  await fetch(`${rest}/jobs/${second.id}`, { method: 'PATCH' });
  expect(await cluster.outcome()).toMatchObject({ status: 'CANCELED' });
  expect(await statesOf()).toEqual([
    ['a', 'CANCELED'],
    ['b', 'CANCELED'],
  ]);
});

it('a handle tells the state of its job, cancels it and brings its result', async () => {
  await start(`export async function main(ctx) {
    const handle = await ctx.executeAsync(a);
    while (!existsSync(here + '/started')) await new Promise((go) => setTimeout(go, 5));
    note('seen', await handle.status());
    await handle.cancel();
    note('seen', await handle.result().catch((error) => error.message));
    note('seen', await handle.status());
    const other = await (await ctx.executeAsync(quick)).result();
    note('seen', JSON.stringify([other.accumulators, other.collected('all')]));
  }`);
  expect(await cluster.outcome()).toMatchObject({ status: 'SUCCEEDED' });
  expect(cluster.lines('seen')).toEqual([
    'RUNNING',
    "job 'a' was cancelled",
    'CANCELED',
    '[{"seen":3},[1,2]]',
  ]);
});

it('a main() that never returns keeps the application RUNNING until it is cancelled', async () => {
  await start(`export async function main(ctx) {
    setInterval(() => {}, 1000);
    await ctx.execute(quick);
    await new Promise(() => {});
  }`);
  await cluster.until(async () => (await cluster.jobs())[0]?.outcome?.state === 'FINISHED');
  const { rest } = (await cluster.endpoint())!;
  const info = (await (await fetch(`${rest}/fctl/v1/cluster`)).json()) as ClusterInfo;
  expect(info.application).toMatchObject({ status: 'RUNNING', endTime: null });
  await fetch(`${rest}/fctl/v1/cancel`, { method: 'POST' });
  expect(await cluster.outcome()).toMatchObject({ status: 'CANCELED', error: null });
  expect(await statesOf()).toEqual([['quick', 'FINISHED']]);
});

it.each([
  ['throws', `throw new Error('no such airport');`, 'no such airport'],
  ['exits', `process.exit(0);`, 'main() called process.exit(0)'],
])(
  'a main() that %s fails the application; its jobs are cancelled',
  async (_how, end, message) => {
    await start(`export async function main(ctx) {
    await ctx.executeAsync(a);
    while (!existsSync(here + '/started')) await new Promise((go) => setTimeout(go, 5));
    ${end}
  }`);
    const { error, status } = await cluster.outcome();
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({
      message: expect.stringContaining(message),
      stack: expect.stringContaining('app.ts:'),
    });
    expect(await statesOf()).toEqual([['a', 'CANCELED']]);
  },
  60_000,
);
