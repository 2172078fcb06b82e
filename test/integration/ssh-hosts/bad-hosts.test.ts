/** What is wrong with hosts is found by preflight, all of it in one run, and nothing is changed. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Project, imports } from '../../cli/project.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type SshHost, SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { configureHosts } from './project-on-hosts.ts';

vi.setConfig({ testTimeout: 300_000 });

describeWith([sshRig], 'hosts that are not usable', () => {
  let set: SshHosts;
  let project: Project;
  let hosts: SshHost[];

  beforeAll(async () => {
    set = await SshHosts.start({ count: 4 });
    hosts = [...set.hosts];
  });
  afterAll(() => set?.stop());
  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 300_000 });
    await project.write(
      'src/app.ts',
      `${imports}\nexport const small = defineJob('small', (env) => { env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create()); });`,
    );
  });
  afterEach(() => project.remove());

  /** Code and host of everything that a deployment is refused for. */
  async function refusals(...standalone: string[]): Promise<string[]> {
    const all = hosts.map(({ address }) => `{ address: ${address} }`);
    await configureHosts(project, set, { hosts: all, standalone });
    const { exitCode, json } = await project.run('deploy', '--timeout', '3m');
    expect(exitCode).toBe(4);
    for (const host of hosts)
      expect(await readdir(join(host.root, 'home', set.user))).not.toContain('.local');
    return json.errors.map(({ code, path }) => `${code} ${path?.split('/').at(-1)}`).sort();
  }

  it('another architecture, an old C library, a wrong clock, no space', async () => {
    await set.pretend(hosts[0]!, { machine: 'aarch64' });
    await set.pretend(hosts[1]!, { glibc: '2.17' });
    await set.clockOffset(hosts[2]!, -60);
    await set.fill(hosts[3]!, 20 * 1024 * 1024);
    try {
      expect(await refusals()).toEqual([
        'clock-off 2',
        'disk-full 3',
        'glibc-too-old 1',
        'other-architecture 0',
      ]);
    } finally {
      await set.pretend(hosts[0]!, {});
      await set.pretend(hosts[1]!, {});
      await set.clockOffset(hosts[2]!, 0);
      await set.unfill(hosts[3]!);
    }
  });

  it('a host without power, one whose processes stand still, a folder that is not ours', async () => {
    await set.kill(hosts[1]!);
    await set.fault(hosts[2]!, 'freeze');
    await set.exec(hosts[3]!, `chown root /home/${set.user} && chmod 755 /home/${set.user}`);
    try {
      expect(await refusals('connectTimeout: 5s')).toEqual([
        'dir-not-writable 3',
        'host-timeout 1',
        'host-timeout 2',
      ]);
    } finally {
      await set.boot(hosts[1]!);
      await set.fault(hosts[2]!, 'thaw');
      await set.exec(hosts[3]!, `chown ${set.user} /home/${set.user}`);
    }
  });

  it('a wrong key', async () => {
    await writeFile(join(project.folder, 'key'), 'no key');
    const all = hosts.map(({ address }) => `{ address: ${address}, identityFile: ./key }`);
    await configureHosts(project, set, { hosts: all });
    const { json } = await project.run('deploy');
    expect(json.errors.map(({ code }) => code)).toEqual(hosts.map(() => 'login-refused'));
    expect(json.errors[0]!.message).toContain('no private key that fctl understands');
  });

  it('a host key that changed: refused, also where new ones are accepted', async () => {
    await set.replaceHostKeys(hosts[3]!);
    expect(await refusals()).toEqual(['host-key-changed 3']);
    expect(await refusals('hostKeys: accept-new')).toEqual(['host-key-changed 3']);
  });
});
