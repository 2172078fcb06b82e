/** The jobs of a cluster, while it runs and afterwards. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

/** `done` finishes first; then `demo` runs until there is a file `end`, and throws. */
async function deployTwo(): Promise<void> {
  const end = JSON.stringify(join(project.folder, 'end'));
  await project.write(
    'src/app.ts',
    `${imports}
import { existsSync } from 'node:fs';
export const done = defineJob('done', (env) => {
  env.fromSource(CollectionSource.of([1, 2, 3])).sinkTo(DiscardSink.create());
});
export const demo = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 50 }))
    .map((n) => { if (existsSync(${end})) throw new TypeError('enough'); return n; })
    .sinkTo(DiscardSink.create());
});
export async function main(ctx) {
  await ctx.execute(done);
  await ctx.execute(demo);
}`,
  );
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
  expect((await project.run('wait', '--for', 'running')).exitCode).toBe(0);
}

const jobs = async () =>
  (await project.run('jobs')).json.data.jobs as readonly {
    id: string;
    name: string;
    state: string;
  }[];

describe('jobs', () => {
  it('are listed, shown and measured while they run, and when all is over', async () => {
    await deployTwo();
    await eventually(async () => (await jobs()).some(({ name }) => name === 'demo'));
    expect((await jobs()).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'done FINISHED',
      'demo RUNNING',
    ]);
    const { id } = (await jobs())[0]!;
    // The only one that runs is meant where none is named.
    const shown = await project.run('jobs', 'show');
    expect(shown.json.data.job).toMatchObject({ name: 'demo', state: 'RUNNING' });
    for (const word of [id, id.slice(0, 8), 'done']) {
      const { json } = await project.run('jobs', 'metrics', '--job', word);
      expect(json.data.vertices).toMatchObject([{ parallelism: 1 }]);
      expect(json.data.job).toMatchObject({ id, name: 'done' });
    }
    const none = await project.run('jobs', 'exceptions');
    expect(none.json.data).toMatchObject({ job: { name: 'demo' }, exceptions: [] });
    const live = await project.run('jobs', 'metrics');
    expect(live.json.data.vertices[0].busy).toBeGreaterThanOrEqual(0);

    await project.write('end', '');
    expect((await project.run('wait')).exitCode).toBe(6);
    expect((await jobs()).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'done FINISHED',
      'demo FAILED',
    ]);
    const thrown = await project.run('jobs', 'exceptions', '--job', 'demo');
    expect(thrown.json.data.exceptions).toMatchObject([
      { message: expect.stringContaining('enough'), location: 'taskmanager-0' },
    ]);
    const { stdout } = await project.start(['jobs', 'exceptions', '--job', 'demo']);
    expect(stdout).toContain('src/app.ts:');
    expect((await project.start(['jobs', 'show', '--job', 'done'])).stdout).toContain('FINISHED');
    const names = await project.start(['jobs', '-o', 'name']);
    expect(names.stdout.split('\n')).toEqual((await jobs()).map((job) => job.id));
  });

  it('are not guessed at', async () => {
    await deployTwo();
    await project.write('end', '');
    await project.run('wait');
    for (const args of [['show'], ['show', '--job', 'nope']]) {
      const { exitCode, json } = await project.run('jobs', ...args);
      expect([exitCode, json.errors[0]!.code]).toEqual([7, 'no-such-job']);
      expect(json.errors[0]!.hint).toContain('done (');
    }
    const nobody = await project.run('jobs', 'nobody');
    expect([nobody.exitCode, nobody.json.errors[0]!.code]).toEqual([7, 'no-such-cluster']);
  });
});
