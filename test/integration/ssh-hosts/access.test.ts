/** Ways in that the standalone provider has to know, and what makes a host look like another. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, Project } from '../../cli/project.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type SshHost, SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';
import { expectCleanHosts } from './project-on-hosts.ts';

describeWith([sshRig], 'ways in to hosts', () => {
  let set: SshHosts;
  let h1: SshHost;
  let h2: SshHost;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 3, behind: { h2: 'h1' } });
    [h1, h2] = set.hosts as [SshHost, SshHost];
  });
  afterAll(() => set?.stop());

  /** With the key of the set, where nothing else is asked for. */
  const ssh = (host: SshHost, command: string, ...options: readonly string[]) =>
    execa('ssh', ['-o', 'ConnectTimeout=2', ...options, ...set.sshArgs(host), command], {
      reject: false,
    });

  /** With no key but what the options and the environment give. */
  function login(options: readonly string[], env: Readonly<Record<string, string>>) {
    const given = ['-F', 'none', '-o', `UserKnownHostsFile=${set.knownHostsFile}`, ...options];
    const target = `${set.user}@${h1.address}`;
    return execa('ssh', [...given, target, 'hostname'], { reject: false, env });
  }

  it('a key that is locked', async () => {
    const askpass = join(h1.root, 'askpass');
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    const options = ['-i', set.lockedKeyFile, '-o', 'IdentitiesOnly=yes'];
    writeFileSync(askpass, `#!/bin/sh\necho ${set.passphrase}\n`, { mode: 0o700 });
    expect((await login(options, env)).stdout).toBe('h1');
    writeFileSync(askpass, '#!/bin/sh\necho another\n');
    expect((await login(options, env)).stderr).toContain('Permission denied');
  });

  it('a key that only an agent has', async () => {
    const options = ['-o', 'IdentityFile=none', '-o', 'BatchMode=yes'];
    expect((await login(options, { SSH_AUTH_SOCK: set.agentSocket })).stdout).toBe('h1');
    expect((await login(options, { SSH_AUTH_SOCK: '' })).stderr).toContain('Permission denied');
  });

  it('a host that another one stands before', async () => {
    expect((await ssh(h2, 'hostname')).stderr).toContain('timed out');
    const [, , h3] = set.hosts as [SshHost, SshHost, SshHost];
    const knock = `timeout 2 bash -c 'exec 3<>/dev/tcp/h2/22' || echo no`;
    expect((await ssh(h3, knock)).stdout).toBe('no');
    const by = (host: SshHost) => ['ssh', '-W', '%h:%p', ...set.sshArgs(host)].join(' ');
    const through = (host: SshHost) => ssh(h2, 'hostname', '-o', `ProxyCommand=${by(host)}`);
    expect((await through(h1)).stdout).toBe('h2');
    expect((await through(h3)).exitCode).toBe(255);
    // As it was, after a power failure.
    await set.kill(h2);
    await set.boot(h2);
    expect((await ssh(h2, 'hostname')).stderr).toContain('timed out');
    expect((await through(h1)).stdout).toBe('h2');
  });

  it('more than one type of host key, any of which can be the known one', async () => {
    const lines = set.knownHostLines(h1);
    expect([...lines.keys()]).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256']);
    const [ed25519, ecdsa] = [...lines.values()] as [string, string];
    const known = join(h1.root, 'known_hosts');
    const check = (type: string) =>
      ssh(h1, 'hostname', '-o', `UserKnownHostsFile=${known}`, '-o', `HostKeyAlgorithms=${type}`);
    writeFileSync(known, `${ecdsa}\n`);
    expect((await check('ecdsa-sha2-nistp256')).stdout).toBe('h1');
    expect((await check('ssh-ed25519')).stderr).toContain('Host key verification failed');
    writeFileSync(known, `${ed25519}\n`);
    expect((await check('ssh-ed25519')).stdout).toBe('h1');
  });

  it('a host key that has changed', async () => {
    const before = set.knownHostLines(h1);
    await set.replaceHostKeys(h1);
    const after = set.knownHostLines(h1);
    expect([...before.values()].filter((line) => [...after.values()].includes(line))).toEqual([]);
    expect((await ssh(h1, 'hostname')).stderr).toContain('IDENTIFICATION HAS CHANGED');
    const known = join(h1.root, 'known_hosts');
    writeFileSync(known, [...after.values(), ''].join('\n'));
    expect((await ssh(h1, 'hostname', '-o', `UserKnownHostsFile=${known}`)).stdout).toBe('h1');
  });
});

describeWith([sshRig], 'a host that looks like another', () => {
  let set: SshHosts;
  let host: SshHost;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 1 });
    [host] = set.hosts as [SshHost];
  });
  afterAll(() => set?.stop());

  const said = async (command: string) =>
    (await execa('ssh', [...set.sshArgs(host), command])).stdout;

  describe('by its clock', () => {
    it.each([3600, -3600])('which is off by %i s', async (seconds) => {
      const least = Date.now() / 1000 + seconds;
      await set.clockOffset(host, seconds);
      const [now, utc, fixed] = (await said('date +%s; date -u +%Y; date -d @7 +%s')).split('\n');
      expect(Number(now)).toBeGreaterThanOrEqual(Math.floor(least));
      expect(Number(now)).toBeLessThanOrEqual(Date.now() / 1000 + seconds);
      expect(utc).toBe(`${new Date(Number(now) * 1000).getUTCFullYear()}`);
      expect(fixed).toBe('7');
    });

    it('which is right again', async () => {
      await set.clockOffset(host, 3600);
      await set.clockOffset(host, 0);
      expect(Number(await said('date +%s'))).toBeLessThanOrEqual(Date.now() / 1000);
    });
  });

  it('by its processor', async () => {
    const real = await said('uname -m; uname -srm');
    await set.pretend(host, { machine: 'riscv64' });
    const [machine, all] = (await said('uname -m; uname -srm')).split('\n');
    expect(machine).toBe('riscv64');
    expect(all).toMatch(/^Linux .* riscv64$/);
    await set.pretend(host, {});
    expect(await said('uname -m; uname -srm')).toBe(real);
  });

  it('by its C library', async () => {
    const ask = 'getconf GNU_LIBC_VERSION; ldd --version | head -n 1; getconf PAGESIZE';
    const real = await said(ask);
    await set.pretend(host, { glibc: '2.17' });
    const page = real.split('\n')[2];
    expect((await said(ask)).split('\n')).toEqual(['glibc 2.17', 'ldd (GNU libc) 2.17', page]);
    expect(await said('ldd /bin/sh')).toContain('libc.so.6');
    await set.pretend(host, {});
    expect(await said(ask)).toBe(real);
  });
});

describeWith([sshRig], 'ways of fctl in to hosts', () => {
  let set: SshHosts;
  let h1: SshHost;
  let h2: SshHost;
  let project: Project;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 2, behind: { h2: 'h1' } });
    [h1, h2] = set.hosts as [SshHost, SshHost];
  });
  afterAll(() => set?.stop());
  beforeEach(async () => {
    project = await Project.create({ timeoutMs: 200_000 });
  });
  afterEach(() => project.remove(), 100_000);

  /** @param lines of YAML below `providers.standalone`. */
  const configure = (host: SshHost, ...lines: string[]) =>
    project.configure(
      'provider: standalone',
      'taskmanager: { replicas: 1 }',
      'providers:',
      '  standalone:',
      `    hosts: [${host.address}]`,
      `    knownHosts: ${set.knownHostsFile}`,
      ...lines.map((line) => `    ${line}`),
    );

  /** What a host says to `fctl list`, where there are no keys in a home folder: a code, or nothing. */
  async function list(environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const env = { HOME: project.folder, SSH_AUTH_SOCK: '', ...environment };
    const { stdout } = await project.start(['list', '--json'], env);
    const { errors } = JSON.parse(stdout) as Answer['json'];
    return errors.map(({ code }) => code);
  }

  it('a key that only an agent has', async () => {
    await configure(h1, `user: ${set.user}`);
    expect(await list({ SSH_AUTH_SOCK: set.agentSocket })).toEqual([]);
    expect(await list()).toEqual(['login-refused']);
  });

  it('a key that is locked', async () => {
    const lines = [`user: ${set.user}`, `identityFile: ${set.lockedKeyFile}`];
    await configure(h1, ...lines, 'passphrase: ${env:PHRASE}');
    expect(await list({ PHRASE: set.passphrase })).toEqual([]);
    expect(await list({ PHRASE: 'another' })).toEqual(['login-refused']);
  });

  it('a password of the config, or typed on a terminal', async () => {
    await configure(h1, `user: ${set.passwordUser}`, 'password: ${env:PASSWORD}');
    expect(await list({ PASSWORD: set.password })).toEqual([]);
    expect(await list({ PASSWORD: 'another' })).toEqual(['login-refused']);
    await configure(h1, `user: ${set.passwordUser}`, 'agent: false');
    expect(await list()).toEqual(['login-refused']); // nobody is there to ask
    const terminal = project.terminal('list');
    await terminal.shows(new RegExp(`Password of ${set.passwordUser} at ${h1.address}`));
    terminal.stdin.write(`${set.password}\n`);
    await terminal.shows(/No clusters on provider standalone/);
    expect(await terminal.ended).toBe(0);
  });

  it('a host that another one stands before: REST goes through SSH, too', async () => {
    const lines = [`user: ${set.user}`, `identityFile: ${set.keyFile}`, 'agent: false'];
    await configure(h2, ...lines, 'jump: none', 'connectTimeout: 2s');
    expect(await list()).toEqual(['host-timeout']);
    await configure(h2, ...lines, `jump: ${set.user}@${h1.address}`);
    const started = await project.run('session', 'start', '--timeout', '3m');
    expect(started.json.errors).toEqual([]);
    const { json } = await project.run('status');
    expect(json.data).toMatchObject({ state: 'RUNNING', info: { clusterId: 'demo' } });
    expect(json.data.rest).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await project.run('session', 'stop')).json.errors).toEqual([]);
    expect((await project.run('destroy', '--yes')).json.errors).toEqual([]);
    await expectCleanHosts(set, [h2]);
  });
});
