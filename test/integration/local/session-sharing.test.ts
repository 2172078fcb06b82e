/** Many jobs share the TaskManagers of a session: slots, neighbours, lost processes. On real processes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FlinkRestClient } from '../../../src/flink-rest/client.ts';
import { Project, eventually, imports } from '../../cli/project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const lines = (name: string) => project.lines(name);
const open = (gate: string) => project.open(gate);
/** Waits in user code, without spinning, for a file. */
const gate = `
import { appendFileSync, existsSync } from 'node:fs';
const cell = new Int32Array(new SharedArrayBuffer(4));
const waitFor = (file) => { while (!existsSync(file)) Atomics.wait(cell, 0, 0, 5); };`;

const endless = (code: string) => `
  env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 100 }))
    .map((i) => { ${code}; return i; }).sinkTo(DiscardSink.create());`;

/** As `fctl session status` lists them; none while the JobManager does not answer. */
const jobs = async () => {
  const { rest, token } = await project.endpoint();
  const client = new FlinkRestClient({ url: rest, token, timeoutMs: 5000 });
  return (await client.jobsOverview().catch(() => ({ jobs: [] }))).jobs;
};
const stateOf = async (name: string) => (await jobs()).find((job) => job.name === name)?.state;

it('two applications that want all slots take turns, job by job, in the order of their jobs', async () => {
  // Each job needs both slots, and says when it has them; a job that had one only would wait for ever.
  const application = (name: string) => `${imports}${gate}
const here = ${JSON.stringify(project.folder)} + '/';
const jobs = [1, 2, 3].map((i) => defineJob('${name}' + i, (env) => {
  env.setParallelism(2);
  env.fromSource(CollectionSource.of([0, 1])).rebalance()
    .map((x, { subtaskIndex }) => {
      if (subtaskIndex === 0) { appendFileSync(here + 'ran', '${name}' + i + '\\n'); waitFor(here + 'go'); }
      return x;
    })
    .sinkTo(DiscardSink.create());
}));
export async function main(ctx) {
  const handles = [];
  for (const job of jobs) handles.push(await ctx.executeAsync(job));
  for (const handle of handles) await handle.result();
}`;
  await project.write('src/a.ts', application('a'));
  await project.write('src/b.ts', application('b'));
  await project.run('session', 'start', '--taskmanagers', '2', '--slots', '1');
  const clients = ['a', 'b'].map((name) =>
    project.start(['session', 'submit', `src/${name}.ts`, '--cluster', 'demo', '--json']),
  );
  await eventually(async () => (await jobs()).length === 6);
  await eventually(() => lines('ran').length === 1);
  const { stdout: status } = await project.start(['session', 'status']);
  expect(status).toContain(`waits for 2 of 2 slots; 0 free`);
  expect(status).toMatch(/queued behind job '[ab]\d' and 3 more/);
  const submitted = (await jobs()).toReversed().map(({ name }) => name); // newest first
  open('go');
  for (const client of clients) expect((await client).exitCode).toBe(0);
  expect(lines('ran')).toEqual(submitted);
  expect((await jobs()).map(({ state }) => state)).toEqual(Array(6).fill('FINISHED'));
}, 60_000);

it('takes arguments, its own name, and the same application twice for one upload', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
export const words = defineJob('words', { args: types.record({ n: types.int32 }) }, (env, { n }) => {
  env.registerCachedFile('words.txt', 'words');
  env.fromSource(CollectionSource.of([n])).sinkTo(CollectSink.named('out'));
});
export async function main(ctx) {
  console.log('collected ' + (await ctx.execute(words, ctx.args)).collected('out'));
}`,
  );
  await project.write('src/words.txt', 'x'.repeat(100_000));
  await project.run('session', 'start', 'other');
  const submit = (n: number) =>
    project.run('session', 'submit', 'src/app.ts', '--cluster', 'other', '--args', `{"n":${n}}`);
  const first = await submit(7);
  expect(first.json.errors).toEqual([]);
  expect(first.stderr).toContain('collected 7');
  const bundle = first.json.data.uploadedBytes - 100_000;
  expect(bundle).toBeGreaterThan(500);
  const second = await submit(8);
  expect(second.stderr).toContain('collected 8');
  expect(second.json.data.uploadedBytes).toBe(0);
  expect((await submit(0.5)).json.errors[0]!.message).toContain('int32');
  await project.run('destroy', 'other', '--yes');
}, 60_000);

it('replaces a TaskManager that native code blocks; neighbours elsewhere go on', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const here = ${JSON.stringify(project.folder)} + '/';
export const neighbour = defineJob('neighbour', (env) => {${endless('')}});
export const blocked = defineJob('blocked', (env) => {${endless(
      "if (i === 0) { appendFileSync(here + 'blocked', ''); spawnSync('sleep', ['600']); }",
    )}});
export const small = defineJob('small', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
  await project.run('session', 'start', '--taskmanagers', '2', '--slots', '1');
  await project.run('session', 'submit', '--job', 'neighbour', '--detach');
  await eventually(async () => (await stateOf('neighbour')) === 'RUNNING');
  const submitted = await project.run('session', 'submit', '--job', 'blocked', '--detach');
  await eventually(() => existsSync(join(project.folder, 'blocked')));
  const before = [0, 1].map((index) => project.pid(`taskmanager-${index}`));
  await project.run('cancel', 'demo', '--job', submitted.json.data.jobs[0].jobId);
  // The limits: 30 s for the task, 5 s for its thread.
  const pids = () => [0, 1].map((index) => project.pid(`taskmanager-${index}`));
  await eventually(() => pids().filter((pid) => !before.includes(pid)).length === 1, 60_000);
  await eventually(async () => (await stateOf('blocked')) === 'CANCELED');
  expect((await project.run('session', 'submit', '--job', 'small')).exitCode).toBe(0);
  const { json } = await project.run('session', 'status');
  expect(json.data.processes.map((p: { exitCode: number }) => p.exitCode)).toContain(239);
  const { stdout: status } = await project.start(['session', 'status']);
  expect(status).toMatch(/neighbour RUNNING [^\n]*\n {2}VERTEX/); // no second attempt
}, 120_000);

it('lists jobs as LOST whose JobManager was killed, and takes new ones', async () => {
  await project.write(
    'src/app.ts',
    `${imports}
export const lost = defineJob('lost', (env) => {${endless('')}});
export const small = defineJob('small', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
  );
  await project.run('session', 'start', '--slots', '2');
  expect((await project.run('session', 'submit', '--job', 'small')).exitCode).toBe(0);
  await project.run('session', 'submit', '--job', 'lost', '--detach');
  await eventually(async () => (await stateOf('lost')) === 'RUNNING');
  process.kill(project.pid('jobmanager-0'), 'SIGKILL');
  await eventually(async () => (await stateOf('lost')) === 'LOST');
  expect((await project.run('session', 'status')).json.data.jobs).toMatchObject([
    { name: 'lost', state: 'LOST' },
    { name: 'small', state: 'FINISHED' },
  ]);
  const { stdout: status } = await project.start(['session', 'status']);
  expect(status).toContain('attempts: 0 LOST with JobManager 1');
  expect((await project.run('session', 'submit', '--job', 'small')).exitCode).toBe(0);
  expect((await project.run('session', 'stop')).exitCode).toBe(0); // nothing runs
}, 60_000);
