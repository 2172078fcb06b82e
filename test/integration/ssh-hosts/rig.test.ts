/** What tests of the standalone provider rely on when they start, break and end hosts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type Socket, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesWhere } from '../../rigs/processes.ts';
import { describeWith } from '../../rigs/rig.ts';
import { type SshHost, SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';

const rigs = '/var/lib/fctl-rigs';

const silenceMs = 1500;

/** What is heard of sshd: its first line, nothing (`silence`) or not even a connection (`no connection`). */
async function greeting({ address }: SshHost, limitMs = silenceMs): Promise<string> {
  let connected = false;
  let socket: Socket | undefined;
  try {
    return await new Promise((resolve, reject) => {
      socket = connect(22, address, () => (connected = true));
      socket.on('error', reject);
      socket.on('data', (data) => resolve(data.toString().trim()));
      setTimeout(() => resolve(connected ? 'silence' : 'no connection'), limitMs);
    });
  } finally {
    socket?.destroy();
  }
}

describeWith([sshRig], 'hosts reached by SSH', () => {
  let set: SshHosts;
  let h1: SshHost;
  let h2: SshHost;
  const ssh = (host: SshHost, command: string, ...options: readonly string[]) =>
    execa('ssh', [...options, ...set.sshArgs(host), command], { reject: false });
  const said = async (host: SshHost, command: string) => (await ssh(host, command)).stdout;

  beforeAll(async () => {
    set = await SshHosts.start({ count: 2 });
    [h1, h2] = set.hosts as [SshHost, SshHost];
  });
  afterAll(() => set?.stop());

  describe('logging in', () => {
    it('works with the key, on a host of its own name, as a user', async () => {
      expect(await said(h1, 'hostname; id -un; pwd')).toBe('h1\nfctl\n/home/fctl');
      expect(await said(h2, 'hostname')).toBe('h2');
    });

    it('works by password for the other user alone', async () => {
      const login = (user: string) => {
        const given = { SSH_ASKPASS: join(h1.root, 'askpass'), SSH_ASKPASS_REQUIRE: 'force' };
        const known = `UserKnownHostsFile=${set.knownHostsFile}`;
        const args = ['-F', 'none', '-o', 'NumberOfPasswordPrompts=1', '-o', known];
        const target = `${user}@${h1.address}`;
        return execa('ssh', [...args, target, 'id -un'], { reject: false, env: given });
      };
      writeFileSync(join(h1.root, 'askpass'), `#!/bin/sh\necho ${set.password}\n`, { mode: 0o700 });
      expect((await login(set.passwordUser)).stdout).toBe(set.passwordUser);
      expect((await login(set.user)).stderr).toContain('Permission denied');
    });

    it("is refused where another host's key is expected", async () => {
      const { exitCode, stderr } = await ssh(h1, 'true', '-o', 'HostKeyAlias=h2');
      expect(exitCode).toBe(255);
      expect(stderr).toContain('Host key verification failed');
    });
  });

  describe('files', () => {
    it('are its own where a host keeps state', async () => {
      await said(h1, 'echo mine | tee ~/f /tmp/f /var/tmp/f /dev/shm/f');
      const read = 'cat ~/f /tmp/f /var/tmp/f /dev/shm/f 2>/dev/null | wc -l';
      expect(await said(h1, read)).toBe('4');
      expect(await said(h2, read)).toBe('0');
      expect(existsSync('/tmp/f')).toBe(false);
      expect(readFileSync(join(h1.root, 'home/fctl/f'), 'utf8')).toBe('mine\n');
    });

    it('of the machine cannot be changed, not even by root', async () => {
      const { code, stderr } = await set.exec(h1, 'touch /usr/bin/fctl-was-here');
      expect(code).not.toBe(0);
      expect(stderr).toContain('Read-only file system');
      const repository = join(import.meta.dirname, 'fctl-was-here');
      expect((await set.exec(h1, `touch '${repository}'`)).code).not.toBe(0);
    });

    it('of the shared folder are seen by hosts and machine under one path', async () => {
      const path = (name: string) => join(set.sharedDir, name);
      writeFileSync(path('machine'), 'from the machine\n');
      await said(h1, `echo from h1 >${path('h1')}`);
      expect(await said(h2, `cat ${path('machine')} ${path('h1')}`)).toBe(
        'from the machine\nfrom h1',
      );
      expect(readFileSync(path('h1'), 'utf8')).toBe('from h1\n');
    });

    it('of a set are not seen but for the shared folder', async () => {
      const { stdout } = await set.exec(h1, `find ${join(set.sharedDir, '../..')} -maxdepth 2`);
      expect(stdout.split('\n')).toHaveLength(3);
      expect(stdout).toContain(set.sharedDir);
    });

    it('have no space left when the host is filled', async () => {
      const write = (bytes: number) => ssh(h1, `head -c ${bytes} /dev/zero >~/big`);
      await set.fill(h1, 1 << 20);
      expect((await write(2 << 20)).stderr).toContain('No space left on device');
      expect((await write(1 << 19)).exitCode).toBe(0);
      await set.unfill(h1);
      expect((await write(2 << 20)).exitCode).toBe(0);
      expect(existsSync(join(h1.root, 'home/fctl/big'))).toBe(true);
    });
  });

  describe('processes', () => {
    it('have no node, unless the set has one', async () => {
      expect((await ssh(h1, 'node --version')).exitCode).not.toBe(0);
      const other = await SshHosts.start({ count: 1, node: process.execPath });
      try {
        const [host] = other.hosts as [SshHost];
        const { stdout } = await execa('ssh', [...other.sshArgs(host), 'node -p process.execPath']);
        expect(stdout).toBe('/opt/rig/bin/node');
      } finally {
        await other.stop();
      }
    });

    it('are seen with what they use', async () => {
      await said(
        h1,
        'cp /bin/sleep ~/naps; nohup setsid ~/naps 1000 >~/log 2>&1 </dev/null & sleep 0',
      );
      const naps = async (host: SshHost) =>
        (await set.processes(host)).filter(({ exe }) => exe === '/home/fctl/naps');
      await vi.waitUntil(async () => (await naps(h1)).length === 1);
      const [nap] = await naps(h1);
      expect(nap).toMatchObject({ args: ['/home/fctl/naps', '1000'], uid: 7701 });
      expect(await naps(h2)).toEqual([]);
      const used = await set.usedFiles(h1, nap!.pid);
      expect(used).toContain('/home/fctl/naps');
      expect(used).toContain('/home/fctl/log');
      expect(used).toContainEqual(expect.stringMatching(/^\/usr\/lib\/.*\/libc\.so\.6$/));
      await expect(set.usedFiles(h2, nap!.pid)).rejects.toThrow('h2 has no process');
    });

    it('listen on ports of the host', async () => {
      expect(await set.listening(h1)).toEqual([22]);
    });

    it('reach those of other hosts by name', async () => {
      const greet = 'exec 3<>/dev/tcp/h2/22 && read -r -u 3 line && echo "$line"';
      expect(await said(h1, greet)).toMatch(/^SSH-2\.0-OpenSSH/);
    });
  });

  describe('faults', () => {
    afterEach(() => set.fault(h1, 'clear'));

    const expectOn = async () => expect(await greeting(h1, 10_000)).toMatch(/^SSH-2\.0/);

    it('of the cable: silence, and nobody notices on the host', async () => {
      await set.fault(h1, 'down');
      expect(await greeting(h1)).toBe('no connection');
      expect(await set.exec(h1, 'hostname; echo why >&2; exit 7')).toEqual({
        code: 7,
        stdout: 'h1',
        stderr: 'why',
      });
      await set.fault(h1, 'up');
      await expectOn();
    });

    it('frozen: connections, but no answer', async () => {
      await set.fault(h1, 'freeze');
      expect(await greeting(h1)).toBe('silence');
      await set.fault(h1, 'thaw');
      await expectOn();
    });

    it('delay: no round trip is faster', async () => {
      await set.delay(h1, 300);
      const start = performance.now();
      await expectOn();
      // One for the connection, and a packet that brings the greeting.
      expect(performance.now() - start).toBeGreaterThan(600);
      await set.delay(h1, 0);
      await expectOn();
    });

    it('drop: packets are lost, connections get through in the end', async () => {
      await set.drop(h1, 100);
      expect(await greeting(h1)).toBe('no connection');
      await set.drop(h1, 20);
      expect(await greeting(h1, 60_000)).toMatch(/^SSH-2\.0/);
      const { stdout } = await set.exec(h1, 'iptables -L INPUT -v -x -n | tail -n 1');
      expect(stdout).toContain('statistic mode random probability 0.2');
    });

    it('power: processes are gone, files are kept', async () => {
      await said(h1, 'echo kept >~/kept; nohup setsid sleep 1234 >/dev/null 2>&1 </dev/null &');
      await set.kill(h1);
      expect(await greeting(h1)).toBe('no connection');
      await expect(set.exec(h1, 'true')).rejects.toThrow('h1 is off');
      await set.boot(h1);
      await expectOn();
      expect(await said(h1, 'cat ~/kept')).toBe('kept');
      const sleeping = (await set.processes(h1)).filter(({ args }) => args.includes('1234'));
      expect(sleeping).toEqual([]);
    });
  });
});

/** All that the machine has of the set that this folder is of. */
function leftovers(sharedDir: string): string[] {
  const set = dirname(sharedDir);
  const number = set.slice(set.lastIndexOf('-') + 1);
  const names = (folder: string, ...starts: string[]) =>
    readdirSync(folder).filter((name) => starts.some((start) => name.startsWith(start)));
  const processes = processesWhere(
    (pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(set) ||
      readlinkSync(`/proc/${pid}/exe`).startsWith(set) ||
      readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${set}/`),
  );
  return [
    ...processes.map(({ args }) => args.join(' ')),
    ...names('/run/netns', `fctl-ssh${number}-`),
    ...names('/sys/class/net', `fctlssh${number}`),
    ...(existsSync(set) ? [set] : []),
  ];
}

describeWith([sshRig], 'the end of a set of hosts', () => {
  const hosts = new URL('../../rigs/ssh-hosts/hosts.ts', import.meta.url).href;

  /** Another process, which imports SshHosts and says where its shared folder is. */
  async function elsewhere(
    ...program: readonly string[]
  ): Promise<{ child: ChildProcess; sharedDir: string }> {
    const lines = [`import { SshHosts } from '${hosts}';`, ...program];
    const child = spawn(process.execPath, ['--input-type=module', '-e', lines.join('\n')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, sharedDir: line.toString().trim() };
  }
  const startAndSay = 'const set = await SshHosts.start({ count: 1 }); console.log(set.sharedDir);';

  it('is up to who started them, where others share them, who are told what they left (S4)', async () => {
    const set = await SshHosts.start({ count: 3 });
    try {
      for (const [name, value] of Object.entries(set.handover)) vi.stubEnv(name, value);
      const same = await SshHosts.share().finally(() => vi.unstubAllEnvs());
      const { hosts, password, sharedDir } = set;
      expect(same).toMatchObject({ hosts, password, sharedDir });
      const start = `su ${set.user} -s /bin/sh -c 'setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!'`;
      const { stdout } = await set.exec(hosts[0]!, start);
      await expect(same.stop()).rejects.toThrow(/all share: h1: sleep 1000$/);
      await set.exec(hosts[0]!, `kill -9 ${stdout.trim()}`);
      writeFileSync(join(sharedDir, 'forgotten'), '');
      await expect(same.stop()).rejects.toThrow(/all share: \S+forgotten$/);
      rmSync(join(sharedDir, 'forgotten'));
      await expect.poll(() => same.stop()).toBe(undefined);
      expect((await set.exec(hosts[0]!, 'true')).code).toBe(0);
    } finally {
      await set.stop();
    }
  });

  it('leaves nothing, whatever runs on them', async () => {
    const set = await SshHosts.start({ count: 3 });
    const [h1, h2, h3] = set.hosts as [SshHost, SshHost, SshHost];
    for (const host of set.hosts)
      await set.exec(host, 'setsid sleep 1000 >/dev/null 2>&1 </dev/null &');
    await set.delay(h1, 10);
    await set.fill(h1, 4096);
    await set.fault(h2, 'freeze');
    await set.kill(h3);
    // Two hosts, each with sshd, its first process and a sleep, at least.
    expect(leftovers(set.sharedDir).length).toBeGreaterThan(6);
    await set.stop();
    expect(leftovers(set.sharedDir)).toEqual([]);
    await set.stop();
  });

  it('comes with a start that fails half way', async () => {
    const before = readdirSync(rigs);
    await expect(SshHosts.start({ count: 1, node: '/no/such/file' })).rejects.toThrow('exit code');
    const isOfAnother = (name: string) => {
      const owner = join(rigs, name, 'owner');
      return existsSync(owner) && !readFileSync(owner, 'utf8').startsWith(`${process.pid} `);
    };
    const made = readdirSync(rigs).filter((name) => !before.includes(name) && !isOfAnother(name));
    expect(made.flatMap((name) => leftovers(join(rigs, name, 'shared')))).toEqual([]);
  });

  it('comes with the end of the process that started them', async () => {
    const { child, sharedDir } = await elsewhere(startAndSay, 'process.exit();');
    if (child.exitCode === null) await once(child, 'exit');
    expect(leftovers(sharedDir)).toEqual([]);
  });

  it('comes with the end of the process that is starting them', async () => {
    const { child, sharedDir } = await elsewhere(
      `import { existsSync, globSync, readFileSync } from 'node:fs';`,
      `let started = false;`,
      `void SshHosts.start({ count: 3 }).then(() => (started = true));`,
      `const mine = (file) => readFileSync(file, 'utf8').startsWith(process.pid + ' ');`,
      `setInterval(() => {`,
      `  const [owner] = globSync('${rigs}/ssh-hosts-*/owner').filter(mine);`,
      `  if (owner === undefined) return;`,
      `  const sharedDir = owner.replace(/owner$/, 'shared');`,
      `  if (!existsSync(sharedDir + '/../state/h2.console')) return;`,
      `  console.log(sharedDir);`,
      `  process.exit(started ? 1 : 0);`,
      `}, 1);`,
    );
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(leftovers(sharedDir)).toEqual([]);
  });

  it('comes with the next start where that process was killed', async () => {
    const { child, sharedDir } = await elsewhere(startAndSay, 'setInterval(() => {}, 1000);');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftovers(sharedDir)).not.toEqual([]);
    const next = await SshHosts.start({ count: 1 });
    await next.stop();
    expect(leftovers(sharedDir)).toEqual([]);
  });
});
