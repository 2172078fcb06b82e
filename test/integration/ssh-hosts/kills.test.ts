/**
 * A client that is killed while it deploys to hosts: once where the next command goes on, with the rest of what was
 * being sent, and once where it cleans up. Kills at every call of every operation are those of
 * test/deployment/operation/operation.test.ts, on the fake provider; here hosts are real, and connections break.
 */
import { afterAll, beforeAll, beforeEach, afterEach, expect, it, vi } from 'vitest';
import { Project, imports } from '../../cli/project.ts';
import { describeWith } from '../../rigs/rig.ts';
import { SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { configureHosts, expectCleanHosts } from './project-on-hosts.ts';

// A first deployment sends 50 MB to each host.
vi.setConfig({ testTimeout: 300_000 });

const app = `${imports}
export const endless = defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ count: 1e9, create: (i) => i, ratePerSecond: 100 })).sinkTo(DiscardSink.create());
});`;

describeWith([sshRig], 'a client that is killed while it deploys to hosts', () => {
  let set: SshHosts;
  let project: Project;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 2 });
  });
  afterAll(() => set?.stop());
  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 200_000 });
    await project.write('src/app.ts', app);
    await configureHosts(project, set);
  });
  afterEach(() => project.remove(), 100_000);

  /** Kills a deploy once its progress shows the text. */
  async function killedAt(step: string): Promise<void> {
    const deploy = project.start(['deploy', '--timeout', '3m']);
    let shown = '';
    deploy.stderr!.on('data', (chunk: Buffer) => {
      shown += String(chunk);
      if (shown.includes(step)) deploy.kill('SIGKILL');
    });
    const { signal } = await deploy;
    if (signal !== 'SIGKILL') throw new Error(`'${step}' was never shown:\n${shown}`);
  }

  async function expectDeployed(): Promise<string> {
    const { exitCode, stderr } = await project.start(['deploy', '--detach', '--timeout', '3m']);
    expect(exitCode, stderr).toBe(0);
    expect((await project.run('status')).json.data.state).toBe('RUNNING');
    expect((await project.run('plan')).json.data.changes).toBe(false);
    return stderr;
  }

  async function expectDestroyed(): Promise<void> {
    const { exitCode, json } = await project.run('destroy', '--yes');
    expect(exitCode, JSON.stringify(json.errors)).toBe(0);
    await expectGone();
  }

  async function expectGone(): Promise<void> {
    await expectCleanHosts(set);
    expect((await project.run('list')).json).toMatchObject({ data: { clusters: [] }, errors: [] });
    expect((await project.run('doctor')).json.data.orphans).toEqual([]);
  }

  it('the next deploy sends the rest of the runtime', async () => {
    const [host] = set.hosts;
    const sending = `Sending runtime to ${host!.address}`;
    await killedAt(`${sending}: 50 %`);
    const shown = await expectDeployed();
    // What was on its way when it was killed is sent again.
    const first = new RegExp(`${sending}: (\\d+) %`).exec(shown)![1];
    expect(Number(first)).toBeGreaterThan(10);
    await expectDestroyed();
  });

  it('destroy removes what was started', async () => {
    await killedAt('create taskmanager-0');
    await expectDestroyed();
  });
});
