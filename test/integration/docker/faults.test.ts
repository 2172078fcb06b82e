/** Faults of clusters on a real engine: the truth is told, nothing hangs, and what can goes on. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProcessExit } from '../../../src/contract/process-exit.ts';
import { imports } from '../../cli/project.ts';
import { dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { EngineProjects, codes, endless, waiting } from './engine-projects.ts';

describeWith([dockerRig], 'faults of clusters on a Docker engine', () => {
  let on: EngineProjects;
  beforeAll(async () => {
    on = await EngineProjects.start({ isOwn: true });
  });
  afterAll(() => on?.stop());
  beforeEach(() => on.begin());
  afterEach(() => on.end());

  const run = (...args: string[]) => on.project.run(...args);
  const isCleanedUp = async () => {
    expect((await run('destroy', 'demo', '--yes')).exitCode).toBe(0);
    expect(await on.leftovers()).toEqual([]);
  };
  interface Process {
    readonly name: string;
    readonly status: string;
    readonly restarts: number;
    readonly exitCode: number | null;
    readonly location: string;
  }
  const look = async () => {
    const { data } = (await run('status', 'demo')).json;
    const processes = data.processes as readonly Process[];
    const of = (name: string) => processes.find((process) => process.name === name)!;
    return {
      state: data.state as string,
      explanation: data.explanation as string | null,
      data,
      of,
    };
  };

  describe('in an application', () => {
    beforeEach(async () => {
      await on.project.write('src/app.ts', endless);
      await on.project.configure('  parallelism: 1', ...on.config());
      await on.deploy();
    });

    it('a JobManager that the engine was told to kill is lost, and another deployment starts it', async () => {
      await on.docker('kill', 'fctl-demo-jobmanager-0');
      expect(await on.state()).toBe('LOST');
      await on.deploy();
      expect(await on.state()).toBe('RUNNING');
      await isCleanedUp();
    });

    it('a JobManager that crashed is started again by the engine, and goes on at its new port', async () => {
      await on.crash('jobmanager-0');
      await expect
        .poll(async () => {
          const { state, of } = await look();
          return [state, of('jobmanager-0').restarts, of('jobmanager-0').exitCode];
        }, waiting)
        .toEqual(['RUNNING', 1, 137]);
      await isCleanedUp();
    });

    it('a TaskManager that the engine was told to kill fails its job, which names it', async () => {
      await on.docker('kill', 'fctl-demo-taskmanager-0', 'fctl-demo-taskmanager-1');
      await expect.poll(() => on.state(), waiting).toBe('FAILED');
      expect((await look()).explanation).toMatch(/taskmanager-\d was lost/);
      const running = () => on.docker('ps', '--quiet', '--filter', 'name=fctl-demo');
      await expect.poll(running, waiting).toBe('');
      await on.deploy();
      expect(await on.state()).toBe('RUNNING');
      await isCleanedUp();
    });

    it('an engine that is restarted starts it again, which goes on as the same job', async () => {
      const [{ jid, tasks }] = (await look()).data.jobs;
      await on.engine.restart();
      await expect
        .poll(async () => (await look()).data.jobs, waiting)
        .toMatchObject([{ jid, state: 'RUNNING', tasks: { running: tasks.total } }]);
      const { data, state } = await look();
      expect(state).toBe('RUNNING');
      expect(data.outcome).toBe(null);
      expect((await run('plan')).json.data.changes).toBe(false);
      await isCleanedUp();
    });

    it('an engine that was killed is said to be away, and starts it again when it is back', async () => {
      await on.engine.kill();
      const away = await run('status', 'demo');
      expect(away.exitCode).toBe(4);
      expect(codes(away)).toEqual(['engine-unreachable']);
      await on.engine.restart();
      await expect.poll(() => on.state(), waiting).toBe('RUNNING');
      await isCleanedUp();
    });

    it('one that was cancelled stays so when the engine is restarted', async () => {
      expect((await run('cancel', 'demo')).exitCode).toBe(0);
      await on.engine.restart();
      expect(await on.state()).toBe('CANCELED');
      const running = () => on.docker('ps', '--quiet', '--filter', 'name=fctl-demo');
      await expect.poll(running, waiting).toBe('');
      await isCleanedUp();
    });
  });

  it('TaskManagers whose JobManager does not come back end for good, and are lost', async () => {
    await on.project.write('src/app.ts', endless);
    const config = on
      .config()
      .map((line) => line.replace('replicas: 2,', 'replicas: 2, registrationTimeout: 3s,'));
    await on.project.configure('  parallelism: 1', ...config);
    await on.deploy();
    await on.docker('kill', 'fctl-demo-jobmanager-0');
    const taskManager = async () => (await look()).of('taskmanager-0');
    await expect
      .poll(taskManager, waiting)
      .toMatchObject({ status: 'lost', exitCode: ProcessExit.over, restarts: 0 });
    expect(await on.docker('ps', '--quiet', '--filter', 'name=fctl-demo')).toBe('');
    await on.deploy();
    expect(await on.state()).toBe('RUNNING');
    await isCleanedUp();
  });

  it('a TaskManager that exceeds its memory is said to, with the key of the config to raise', async () => {
    await on.project.write(
      'src/app.ts',
      `${imports}
      const kept: Uint8Array[] = [];
      export const hungry = defineJob('hungry', (env) => {
        env.fromSource(GeneratorSource.of({ count: 1e6, create: (i) => i, ratePerSecond: 10 })).map((i) => {
          kept.push(new Uint8Array(new SharedArrayBuffer(8 * 1024 * 1024)).fill(1)); // nobody counts these
          return i;
        }).sinkTo(DiscardSink.create());
      });`,
    );
    await on.project.configure('  parallelism: 1', ...on.config());
    const { exitCode, json } = await run('deploy');
    expect(exitCode).toBe(6);
    expect(json.errors).toMatchObject([
      { code: 'application-failed', message: expect.stringMatching(/taskmanager-\d was lost/) },
      {
        code: 'out-of-memory',
        message: expect.stringContaining('more than the 384.0 MiB'),
        path: '/taskmanager/resources/memory',
        hint: 'raise taskmanager.resources.memory',
      },
    ]);
    const { explanation, state } = await look();
    expect(state).toBe('FAILED');
    expect(explanation).toContain('raise taskmanager.resources.memory');
    await isCleanedUp();
  });

  it('a main() that exceeds the memory of its JobManager is said to, too', async () => {
    await on.project.write(
      'src/app.ts',
      `${endless}
      export async function main(ctx: { executeAsync(job: unknown): Promise<unknown> }) {
        await ctx.executeAsync(endless);
        for (const kept: Buffer[] = []; ; ) {
          kept.push(Buffer.alloc(16 * 1024 * 1024, 1));
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }`,
    );
    await on.project.configure('  parallelism: 1', ...on.config());
    await run('deploy', '--detach');
    await expect.poll(() => on.state(), waiting).toBe('FAILED');
    const { explanation } = await look();
    expect(explanation).toContain('the process of main() was killed (SIGKILL)');
    expect(explanation).toContain('raise jobmanager.resources.memory');
    await isCleanedUp();
  });
});
