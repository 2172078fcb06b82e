/** What a deploy says and leaves behind when it does not end as it was meant to. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

/** Its first job ends and leaves a line, its second one runs until it is cancelled. */
const twoJobs = `${imports}
import { appendFileSync } from 'node:fs';
export const first = defineJob('first', (env) => {
  env.fromSource(CollectionSource.of(['it ran']))
    .map((line) => { appendFileSync('ran', line + '\\n'); return line; })
    .sinkTo(DiscardSink.create());
});
export const second = defineJob('second', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 50 })).sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  await ctx.execute(first);
  await ctx.execute(second);
}`;

const endless = `${imports}
export const job = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 50 })).sinkTo(DiscardSink.create());
});`;

const waiting = `${imports}
export const job = defineJob('never', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});
export async function main() {
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}`;

const state = async () => (await project.run('status')).json.data?.state;

describe('a deployment of a crashed application', () => {
  it('that is not healthy in time leaves the journal to the next one', async () => {
    await project.write('src/app.ts', twoJobs);
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    for (const name of ['jobmanager-0', 'taskmanager-0']) {
      process.kill(-project.supervisor(name), 'SIGKILL');
    }
    await eventually(() => project.running().length === 0);
    expect(await state()).toBe('LOST');
    const late = await project.run('deploy', '--detach', '--health-timeout', '1ms');
    expect(late.exitCode).toBe(5);
    expect(late.json.errors[0]).toMatchObject({ code: 'not-healthy' });
    expect(project.running()).toEqual([]);
    expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
    expect(project.lines('ran')).toEqual(['it ran']);
  });

  it('of which nothing was ever there before is told as failed', async () => {
    await project.write('src/app.ts', twoJobs);
    const late = await project.run('deploy', '--detach', '--health-timeout', '1ms');
    expect(late.exitCode).toBe(5);
    expect(await state()).toBe('FAILED');
  });
});

it('manages a cluster whose project was removed, but for what would start main() again', async () => {
  await project.write('src/app.ts', endless);
  const checkout = join(project.folder, 'checkout');
  await mkdir(checkout);
  for (const name of ['src', 'fctl.config.yaml']) {
    await cp(join(project.folder, name), join(checkout, name), { recursive: true });
  }
  const config = join(checkout, 'fctl.config.yaml');
  expect((await project.run('deploy', '--detach', '--config', config)).exitCode).toBe(0);
  await rm(checkout, { recursive: true });
  await rm(join(project.folder, 'fctl.config.yaml'));
  const before = project.pid('jobmanager-0');
  const restart = await project.run('restart', 'demo', '--allow-state-loss');
  expect(restart.exitCode).toBe(8);
  expect(restart.json.errors[0]!.message).toContain(checkout);
  expect((await project.run('scale', 'demo', '--taskmanagers', '2')).exitCode).toBe(0);
  expect(project.pid('jobmanager-0')).toBe(before);
  expect((await project.run('status', 'demo')).json.data.processes).toHaveLength(3);
});

it('refuses a time to wait that is none', async () => {
  await project.write('src/app.ts', waiting);
  const { exitCode, json } = await project.run('deploy', '--health-timeout', 'soon');
  expect(exitCode).toBe(2);
  expect(json.errors[0]!.message).toContain('--health-timeout soon');
});

it('tells a detached deployment that its application was cancelled meanwhile', async () => {
  await project.write('src/app.ts', waiting);
  const deploying = project.run('deploy', '--detach');
  await eventually(async () => (await state()) === 'RUNNING');
  expect((await project.run('cancel')).exitCode).toBe(0);
  const { exitCode, json } = await deploying;
  expect(exitCode).toBe(6);
  expect(json.errors[0]).toMatchObject({ code: 'application-canceled' });
});
