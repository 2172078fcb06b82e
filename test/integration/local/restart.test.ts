/** A job whose TaskManager is killed: it starts again, and its output is that of one run. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, eventually } from '../../cli/project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

const lines = (name: string) => project.lines(name);

/** The last record waits until the test lets it go; each attempt says that it came so far. */
const app = (folder: string) => `
import { appendFileSync, existsSync } from 'node:fs';
import { CollectionSource, FileSink, defineJob } from 'fctl';
const here = ${JSON.stringify(folder)} + '/';
const cell = new Int32Array(new SharedArrayBuffer(4));
export const job = defineJob('job', (env) => {
  env.fromSource(CollectionSource.of(Array.from({ length: 1000 }, (_, i) => i)))
    .map((x, context) => {
      if (x === 999) {
        appendFileSync(here + 'waiting', context.attempt + '\\n');
        while (!existsSync(here + 'finish')) Atomics.wait(cell, 0, 0, 5);
      }
      return String(x);
    })
    .sinkTo(FileSink.text(here + 'out'));
});`;

it('starts again and publishes one run, after its TaskManager was killed twice', async () => {
  await project.write('src/app.ts', app(project.folder));
  await project.configure(
    'restart: { strategy: fixed-delay, fixedDelay: { attempts: 2, delay: 100ms } }',
  );
  const deploy = project.start(['deploy']);
  let progress = '';
  deploy.stderr.on('data', (text) => (progress += String(text)));
  // Before, a TaskManager that dies fails the deployment.
  await eventually(() => progress.includes('Its jobs run'));
  for (const attempt of [1, 2]) {
    await eventually(() => lines('waiting').length === attempt);
    process.kill(project.pid('taskmanager-0'), 'SIGKILL');
  }
  await eventually(() => lines('waiting').length === 3);
  const { stdout: status } = await project.start(['status']);
  expect(status).toContain('attempts: 0 FAILED, 1 FAILED, 2 RUNNING');
  project.open('finish');
  expect((await deploy).exitCode).toBe(0);
  expect((await project.run('status')).json.data.outcome).toMatchObject({
    status: 'SUCCEEDED',
    jobs: [{ state: 'FINISHED', error: null }],
  });
  expect(lines('waiting')).toEqual(['0', '1', '2']);
  expect(lines('out/part-0.txt')).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  await eventually(() => project.running().length === 0);
});

it('fails with the reason of its last attempt when there are too many', async () => {
  const broken = `
import { CollectionSource, DiscardSink, defineJob } from 'fctl';
export const job = defineJob('job', (env) => {
  env.fromSource(CollectionSource.of([1]))
    .map((x, context) => { throw new Error('attempt ' + context.attempt); })
    .sinkTo(DiscardSink.create());
});`;
  await project.write('src/app.ts', broken);
  await project.configure(
    'restart: { strategy: failure-rate, failureRate: { maxFailuresPerInterval: 2, delay: 0s } }',
  );
  const { exitCode, json } = await project.run('deploy');
  expect(exitCode).toBe(6);
  expect(json.errors[0]!.message).toContain('attempt 2');
});
