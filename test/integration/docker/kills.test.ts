/**
 * A CLI that is killed while it deploys on a real engine: once where the next command cleans up, and once where it
 * goes on. Kills at every call of every operation are those of test/deployment/operation/operation.test.ts, on the
 * fake provider; here the engine is real, and the client dies by SIGKILL.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { EngineProjects, endless } from './engine-projects.ts';

describeWith([dockerRig], 'a CLI that is killed', () => {
  let on: EngineProjects;
  beforeAll(async () => {
    on = await EngineProjects.start();
  });
  afterAll(() => on?.stop());
  beforeEach(async () => {
    await on.begin();
    await on.project.write('src/app.ts', endless);
    await on.project.configure('  parallelism: 2', ...on.config());
  });
  afterEach(() => on.end());

  /** Kills a deploy once its progress shows the text. */
  async function killAt(step: string, ...args: readonly string[]): Promise<void> {
    const deploy = on.project.start(['deploy', ...args]);
    let shown = '';
    let isKilled = false;
    deploy.stderr!.on('data', (chunk: Buffer) => {
      shown += String(chunk);
      if (isKilled || !shown.includes(step)) return;
      isKilled = true;
      deploy.kill('SIGKILL');
    });
    const { signal } = await deploy;
    if (signal !== 'SIGKILL') throw new Error(`'${step}' was never shown:\n${shown}`);
  }

  async function isCleanedUp(): Promise<void> {
    const { exitCode } = await on.project.run('destroy', 'demo', '--yes');
    expect(exitCode).toBe(0);
    expect(await on.leftovers()).toEqual([]);
  }

  it('between two containers is followed by a destroy that leaves nothing', async () => {
    await killAt('create taskmanager-0');
    await isCleanedUp();
    expect((await on.project.run('doctor')).json.data.orphans).toEqual([]);
  });

  it('in an upgrade is followed by one that goes on', async () => {
    await on.deploy();
    const changed = ['--set', 'heartbeat.timeout=11s'];
    await killAt('replace taskmanager-0', ...changed);
    await on.deploy(...changed);
    expect(await on.state()).toBe('RUNNING');
    expect((await on.project.run('plan', ...changed)).json.data.changes).toBe(false);
    const { releases } = (await on.project.run('releases')).json.data;
    expect(releases[0]).toMatchObject({ status: 'stable' });
    await isCleanedUp();
  });
});
