/** Networks that fail, hosts that lose power or stand still: what is said is true, nothing hangs, hosts end clean. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Project, eventually, imports } from '../../cli/project.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type SshHost, SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { configureHosts, dirOn } from './project-on-hosts.ts';

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 900_000 });

const app = `${imports}
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e9, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});`;

interface Observed {
  readonly name: string;
  readonly status: string;
  readonly location: string;
}

describeWith([sshRig], 'faults of hosts and networks', () => {
  let set: SshHosts;
  let project: Project;
  let master: SshHost;
  let worker: SshHost;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 3 });
    [master, worker] = set.hosts as [SshHost, SshHost];
  });
  afterAll(() => set?.stop());

  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 600_000 });
    await project.write('src/app.ts', app);
    await configureHosts(project, set, {
      application: ['  parallelism: 2'],
      lines: [
        'taskmanager: { replicas: 2, slots: 1, registrationTimeout: 3m }',
        'heartbeat: { interval: 1s, timeout: 5s }',
        'restart: { strategy: fixed-delay, fixedDelay: { attempts: 1000, delay: 1s } }',
      ],
      standalone: ['connectTimeout: 3s', 'keepAlive: 1s'],
    });
    const deployed = await project.run('deploy', '--detach', '--timeout', '10m');
    if (deployed.exitCode !== 0) throw new Error(deployed.json.errors[0]!.message);
    await awaitJob('RUNNING');
  }, 700_000);
  afterEach(async () => {
    for (const host of set.hosts) await set.fault(host, 'clear').catch(() => undefined);
    const gone = await project.run('destroy', 'demo', '--yes');
    for (const host of set.hosts) {
      const clusters = join(dirOn(set, host), 'clusters');
      if ((await readdir(clusters)).length > 0)
        throw new Error(`${host.name} is not clean: ${JSON.stringify(gone.json.errors)}`);
      await eventually(async () =>
        (await set.processes(host)).every(({ exe, uid }) => uid < 1000 || /sshd/.test(exe)),
      );
    }
    await project.remove();
  }, 300_000);

  const status = () => project.run('status', 'demo', '--timeout', '60s');
  async function job(): Promise<string> {
    const { json } = await status();
    return (json.data?.jobs?.[0]?.state as string | undefined) ?? json.errors[0]?.code ?? 'none';
  }
  const awaitJob = (...states: string[]) => eventually(async () => states.includes(await job()));
  async function process(name: string): Promise<Observed | undefined> {
    const { json } = await status();
    return (json.data?.processes as Observed[] | undefined)?.find((each) => each.name === name);
  }

  it('a TaskManager host that is cut off and comes back', async () => {
    await set.fault(worker, 'down');
    await eventually(async () => (await process('taskmanager-0'))?.status === 'lost');
    expect((await process('taskmanager-0'))!.location).toContain('does not answer');
    const { exitCode, json } = await project.run('list');
    expect(exitCode).toBe(4);
    expect(json).toMatchObject({ data: { clusters: [{ clusterId: 'demo', state: 'RUNNING' }] } });
    expect(json.errors).toMatchObject([
      { code: 'host-timeout', path: '/providers/standalone/hosts/1' },
    ]);
    await awaitJob('RESTARTING', 'RUNNING', 'CREATED');
    await set.fault(worker, 'up');
    await eventually(async () => (await process('taskmanager-0'))?.status === 'running');
    await awaitJob('RUNNING');
  });

  it('a TaskManager host that loses power and boots: deploy brings it back', async () => {
    await set.kill(worker);
    await eventually(async () => (await process('taskmanager-0'))?.status === 'lost');
    await set.boot(worker);
    const again = await project.run('deploy', '--detach', '--allow-state-loss');
    expect(again.json.errors).toEqual([]);
    await eventually(async () => (await process('taskmanager-0'))?.status === 'running');
    await awaitJob('RUNNING');
  });

  it('a JobManager host that is frozen: said so in time, and it goes on after', async () => {
    await set.fault(master, 'freeze');
    const frozen = await status();
    expect(frozen.exitCode).not.toBe(0);
    expect(frozen.json.errors[0]!.message).toMatch(/does not answer|lost/);
    const { exitCode, json } = await project.run('list');
    expect(exitCode).toBe(4);
    expect(json).toMatchObject({
      data: { clusters: [{ clusterId: 'demo', state: 'UNREACHABLE' }] },
      errors: [{ code: 'host-timeout', path: '/providers/standalone/hosts/0' }],
    });
    await set.fault(master, 'thaw');
    await awaitJob('RUNNING');
  });

  it('a JobManager host that loses power and boots: deploy brings the cluster back', async () => {
    await set.kill(master);
    const off = await status();
    expect(off.exitCode).toBe(4);
    expect(off.json.errors).toMatchObject([{ code: 'host-timeout' }]);
    await set.boot(master);
    expect((await status()).json.data.state).toBe('LOST');
    const again = await project.run('deploy', '--detach', '--allow-state-loss');
    expect(again.json.errors).toEqual([]);
    await awaitJob('RUNNING');
  });

  it('a slow and lossy network: slow, and right', async () => {
    for (const host of set.hosts) {
      await set.delay(host, 50);
      await set.drop(host, 2);
    }
    expect(await job()).toBe('RUNNING');
    const again = await project.run('deploy', '--detach');
    expect(again.json.errors).toEqual([]);
  });
});
