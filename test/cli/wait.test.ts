/** Waiting for what becomes of a cluster, and following it again. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, imports } from './project.ts';

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

/** It runs until the file `end` is there, and fails where that holds a word. */
async function deployGated(): Promise<void> {
  const end = JSON.stringify(join(project.folder, 'end'));
  await project.write(
    'src/app.ts',
    `${imports}
import { existsSync, readFileSync } from 'node:fs';
const until = (n) => {
  if (!existsSync(${end})) return true;
  const why = readFileSync(${end}, 'utf8');
  if (why !== '') throw new Error(why);
  return false;
};
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ count: 200, create: (i) => i, ratePerSecond: 1 }))
    .map(async (n) => { while (until(n)) await new Promise((go) => setTimeout(go, 20)); return n; })
    .sinkTo(DiscardSink.create());
});`,
  );
  expect((await project.run('deploy', '--detach')).exitCode).toBe(0);
}

const wait = async (...args: string[]) => {
  const { exitCode, json } = await project.run('wait', ...args);
  return [exitCode, json.data?.state ?? null, json.errors[0]?.code ?? null];
};

describe('wait', () => {
  it('waits until it runs, fails, or is gone, and says how it ended', async () => {
    await deployGated();
    expect(await wait('--for', 'running')).toEqual([0, 'RUNNING', null]);
    expect(await wait('--for', 'failed', '--timeout', '1s')).toEqual([124, null, 'timed-out']);

    const finished = wait();
    const failed = wait('--for', 'FAILED');
    const gone = wait('--for', 'gone');
    await project.write('end', 'enough');
    expect(await finished).toEqual([6, 'FAILED', 'cluster-failed']);
    expect(await failed).toEqual([0, 'FAILED', null]);
    expect(await wait('--for', 'running')).toEqual([6, 'FAILED', 'cluster-failed']);
    expect((await project.run('destroy', '--yes')).exitCode).toBe(0);
    expect(await gone).toEqual([0, null, null]);
    expect(await wait()).toEqual([7, null, 'no-such-cluster']);
  });

  it('is over at once of what has succeeded, and refuses what will not come', async () => {
    await project.write(
      'src/app.ts',
      `${imports} export const job = defineJob('demo', (env) => { env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });`,
    );
    expect((await project.run('deploy')).exitCode).toBe(0);
    expect(await wait()).toEqual([0, 'SUCCEEDED', null]);
    expect(await wait('--for', 'running')).toEqual([0, 'SUCCEEDED', null]);
    expect(await wait('--for', 'failed')).toEqual([8, 'SUCCEEDED', 'cluster-succeeded']);
    expect(await wait('--for', 'done')).toEqual([2, null, 'unknown-state']);
  });
});

describe('attach', () => {
  it('follows what was deployed before, and ends as a deploy does', async () => {
    await deployGated();
    const left = project.start(['attach']);
    await once(left.stderr, 'data');
    left.kill('SIGINT');
    expect((await left).exitCode).toBe(130);
    expect((await left).stderr).toContain('detached, demo goes on');

    const attached = project.run('attach');
    await project.write('end', 'enough');
    const { exitCode, json } = await attached;
    expect([exitCode, json.data.outcome.status]).toEqual([6, 'FAILED']);
    expect(json.errors[0]!.message).toContain('enough');
    const again = await project.run('attach');
    expect(again.json).toEqual(json);
  });

  it('goes on with what does not end by itself', async () => {
    await project.write(
      'src/app.ts',
      `${imports} export const job = defineJob('demo', (env) => { env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create()); });`,
    );
    expect((await project.run('deploy')).exitCode).toBe(0);
    const attached = project.run('attach');
    expect((await project.run('wait', '--for', 'running')).exitCode).toBe(0);
    expect((await project.run('cancel')).exitCode).toBe(0);
    expect((await attached).json.data.outcome.status).toBe('CANCELED');
    expect((await attached).exitCode).toBe(6);
  });

  it('is refused for a session', async () => {
    expect((await project.run('session', 'start', 'many')).exitCode).toBe(0);
    const { exitCode, json } = await project.run('attach', 'many');
    expect([exitCode, json.errors[0]!.code]).toEqual([8, 'mode-not-followed']);
    await project.run('session', 'stop', 'many');
    await project.run('destroy', 'many', '--yes');
  });
});
