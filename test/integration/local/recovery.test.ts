/** An application with several jobs whose JobManager is killed: the platform starts it again. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually } from '../../cli/project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const lines = (name: string) => project.lines(name);
const open = (gate: string) => project.open(gate);

const app = (folder: string) => `
import { appendFileSync, existsSync } from 'node:fs';
import { CollectSink, CollectionSource, FileSink, defineJob } from 'fctl';
const here = ${JSON.stringify(folder)} + '/';
const cell = new Int32Array(new SharedArrayBuffer(4));
const first = defineJob('first', (env) => {
  env.fromSource(CollectionSource.of([1, 2]))
    .map((x) => { appendFileSync(here + 'first', x + '\\n'); return x; })
    .sinkTo(CollectSink.named('numbers'));
});
const second = defineJob('second', (env) => {
  env.fromSource(CollectionSource.of([3]))
    .map((x, context) => {
      appendFileSync(here + 'second', context.attempt + '\\n');
      while (!existsSync(here + 'finish')) Atomics.wait(cell, 0, 0, 5);
      return String(x);
    })
    .sinkTo(FileSink.text(here + 'out'));
});
export async function main(ctx) {
  const { collected } = await ctx.execute(first);
  appendFileSync(here + 'told', JSON.stringify(collected('numbers')) + '\\n');
  while (!existsSync(here + 'go')) await new Promise((resolve) => setTimeout(resolve, 5));
  await ctx.execute(second);
}`;

it('resumes at the right execute(), between two jobs and within the second one', async () => {
  await project.write('src/app.ts', app(project.folder));
  const deploy = project.start(['deploy', '--json']);
  await eventually(() => lines('told').length === 1);
  process.kill(project.pid('jobmanager-0'), 'SIGKILL'); // between the jobs
  await eventually(() => lines('told').length === 2);
  open('go');
  await eventually(() => lines('second').length === 1);
  process.kill(project.pid('jobmanager-0'), 'SIGKILL'); // within the second one
  await eventually(() => lines('second').length === 2);
  const { stdout: status } = await project.start(['status']);
  expect(status).toContain('attempts: 0 LOST with JobManager 2, 1 RUNNING');
  open('finish');
  const { exitCode, stdout } = await deploy;
  expect(exitCode).toBe(0);
  const { outcome } = (JSON.parse(stdout) as { data: { outcome: unknown } }).data;
  expect(outcome).toMatchObject({
    status: 'SUCCEEDED',
    jobs: [
      { name: 'first', state: 'FINISHED' },
      { name: 'second', state: 'FINISHED' },
    ],
  });
  expect(lines('first')).toEqual(['1', '2']); // once
  expect(lines('told')).toEqual(Array(3).fill('[1,2]'));
  expect(lines('second')).toEqual(['0', '1']);
  expect(lines('out/part-0.txt')).toEqual(['3']);
  await eventually(() => project.running().length === 0);
});
