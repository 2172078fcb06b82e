/** What tests of the Docker provider rely on when they start, break and end an engine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { processesWhere } from '../../rigs/processes.ts';
import { describeWith } from '../../rigs/rig.ts';

const waiting = { timeout: 60_000, interval: 100 };

describeWith([dockerRig], 'a Docker engine', () => {
  let engine: DockerEngine;

  beforeAll(async () => {
    engine = await DockerEngine.start({ tls: true });
  });
  afterAll(() => engine?.stop());

  async function docker(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await engine.docker(...args);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  }

  /** A container of the base image that runs a program of node. */
  const run = (name: string, program: string, ...options: readonly string[]) =>
    docker('run', '--name', name, ...options, engine.baseImage, 'node', '-e', program);

  const inspect = (name: string, format: string) => docker('inspect', '-f', format, name);

  const forever = 'setInterval(() => {}, 1000)';
  const answer = (text: string) =>
    `require('http').createServer((request, response) => response.end('${text}')).listen(8081)`;

  it('can be shared: who uses it stops nothing, and is told what it left (D3)', async () => {
    for (const [name, value] of Object.entries(engine.handover)) vi.stubEnv(name, value);
    const same = await DockerEngine.share().finally(() => vi.unstubAllEnvs());
    const { baseImage, host, tls } = engine;
    expect(same).toMatchObject({ baseImage, host, tls });
    await same.docker('volume', 'create', 'forgotten');
    await expect(same.stop()).rejects.toThrow(/all share: volume forgotten$/);
    await same.docker('volume', 'rm', 'forgotten');
    await same.stop();
    expect(await docker('ps', '--all', '--quiet')).toBe('');
  });

  describe('its base image', () => {
    it("has this repository's node, as root and as the user node", async () => {
      const program = 'console.log(process.version, os.userInfo().username, process.cwd())';
      expect(await run('who', program, '--rm')).toBe(`${process.version} root /`);
      expect(await run('who', program, '--rm', '--user', 'node', '--workdir', '/home/node')).toBe(
        `${process.version} node /home/node`,
      );
    });

    it('has a shell, and is one that others can be built on', async () => {
      const file = `FROM ${engine.baseImage}\nRUN echo built >/built\nCMD ["cat", "/built"]\n`;
      const args = ['--host', engine.host, 'build', '--network', 'none', '--tag', 'built', '-'];
      await execa('docker', args, { input: file, env: { DOCKER_BUILDKIT: '0' } });
      expect(await docker('run', '--rm', 'built')).toBe('built');
    });
  });

  describe('its containers', () => {
    it('reach each other by name within a network', async () => {
      await docker('network', 'create', 'inside');
      await run('server', answer('hello'), '--detach', '--network', 'inside', '--init');
      const ask = `fetch('http://server:8081').then((answer) => answer.text()).then(console.log)`;
      const asked = ['run', '--rm', '--network', 'inside', engine.baseImage, 'node', '-e', ask];
      const heard = async () => (await engine.docker(...asked)).stdout;
      await expect.poll(heard, waiting).toBe('hello');
    });

    it('are reached by their published ports on loopback', async () => {
      const publish = ['--publish', '127.0.0.1:0:8081'];
      await run('published', answer('hello outside'), '--detach', '--init', ...publish);
      const address = await docker('port', 'published', '8081/tcp');
      await expect
        .poll(async () => (await fetch(`http://${address}`)).text(), waiting)
        .toBe('hello outside');
    });

    it('are limited in memory', async () => {
      const hungry = `const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))`;
      const limit = ['--memory', '64m', '--memory-swap', '64m'];
      const command = [engine.baseImage, 'node', '-e', hungry];
      await engine.docker('run', '--name', 'hungry', ...limit, ...command);
      expect(await inspect('hungry', '{{.State.OOMKilled}} {{.State.ExitCode}}')).toBe('true 137');
    });

    it('are processes of this machine, and started again when one is killed', async () => {
      await run('phoenix', forever, '--detach', '--restart', 'on-failure');
      const pid = Number(await inspect('phoenix', '{{.State.Pid}}'));
      expect(processesWhere((other) => other === pid)).toMatchObject([
        { exe: '/usr/local/bin/node' },
      ]);
      process.kill(pid, 'SIGKILL');
      const state = () =>
        inspect('phoenix', '{{.RestartCount}} {{.State.Running}} {{.State.Restarting}}');
      await expect.poll(state, waiting).toBe('1 true false');
    });
  });

  it('answers by TCP to those who have a certificate, and to nobody else', async () => {
    const { host, caDir } = engine.tls!;
    const version = (env: Readonly<Record<string, string>>) =>
      execa('docker', ['--host', host, 'version', '--format', '{{.Server.Version}}'], {
        reject: false,
        env,
      });
    const { stdout } = await version({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: caDir });
    expect(stdout).toBe(await docker('version', '--format', '{{.Server.Version}}'));
    expect((await version({})).exitCode).toBe(1);
    const anonymous = await execa('curl', ['-s', '-k', host.replace('tcp', 'https')], {
      reject: false,
    });
    expect(anonymous.exitCode).not.toBe(0);
  });

  describe('down and up again', () => {
    beforeAll(async () => {
      await docker('volume', 'create', 'kept');
      const write = `require('fs').appendFileSync('/data/lives', 'x'); ${forever}`;
      const options = ['--detach', '--init', '--volume', 'kept:/data', '--label', 'kept=yes'];
      await run('always', write, ...options, '--restart', 'always');
      await run('once', forever, ...options);
    });

    const lives = () => docker('exec', 'always', 'cat', '/data/lives');

    it('has its data, and starts the containers that want it', async () => {
      await expect.poll(lives, waiting).toBe('x');
      await engine.restart();
      await expect.poll(lives, waiting).toBe('xx');
      expect(await inspect('once', '{{.State.Running}}')).toBe('false');
      expect(await docker('images', '--quiet', engine.baseImage)).not.toBe('');
    });

    it('killed: containers go on, nobody answers, the next start finds them', async () => {
      const pid = Number(await inspect('always', '{{.State.Pid}}'));
      await engine.kill();
      expect(existsSync(`/proc/${pid}`)).toBe(true);
      expect((await engine.docker('ps')).stderr).toContain('Cannot connect');
      await engine.restart();
      await expect.poll(lives, waiting).toBe('xxx');
    });
  });
});

/** All that the machine has of an engine. */
function leftovers(socketPath: string): string[] {
  const folder = dirname(socketPath);
  const number = Number(folder.slice(folder.lastIndexOf('-') + 1));
  const cgroup = `fctl-docker${number}`;
  const processes = processesWhere((pid) => {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
    return read('cmdline').includes(folder) || read('cgroup').includes(`/${cgroup}/`);
  });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const groups = readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' });
  const interfaces = Object.entries(networkInterfaces());
  return [
    ...processes.map(({ args }) => args.join(' ')),
    ...mounts.filter((line) => line.includes(folder)),
    ...groups.filter((path) => path.split('/').includes(cgroup)),
    ...interfaces
      .filter(([, all]) => all!.some(({ address }) => address.startsWith(`10.${160 + number}.`)))
      .map(([name]) => name),
    ...(existsSync(folder) ? [folder] : []),
  ];
}

describeWith([dockerRig], 'the end of an engine', () => {
  async function busy(): Promise<DockerEngine> {
    const engine = await DockerEngine.start();
    await engine.docker('network', 'create', 'inside');
    const options = ['--detach', '--restart', 'always', '--network', 'inside', '--publish', '80'];
    await engine.docker('run', ...options, engine.baseImage, 'sleep', '1000');
    await engine.docker('run', '--detach', engine.baseImage, 'sleep', '1000');
    expect((await engine.docker('ps', '--quiet')).stdout.split('\n')).toHaveLength(2);
    return engine;
  }

  it('leaves nothing, while another one goes on', async () => {
    const [engine, other] = await Promise.all([busy(), busy()]);
    try {
      // dockerd, containerd, two shims and a proxy, two containers; mounts and bridges.
      expect(leftovers(engine.socketPath).length).toBeGreaterThan(12);
      await engine.stop();
      expect(leftovers(engine.socketPath)).toEqual([]);
      expect((await other.docker('ps', '--quiet')).stdout.split('\n')).toHaveLength(2);
      await engine.stop();
    } finally {
      await other.stop();
    }
  });

  it('leaves nothing of one that was killed', async () => {
    const engine = await busy();
    await engine.kill();
    await engine.stop();
    expect(leftovers(engine.socketPath)).toEqual([]);
  });

  it('comes with the next start where the process that started it was killed', async () => {
    const module = new URL('../../rigs/docker/engine.ts', import.meta.url).href;
    const start = `const { DockerEngine } = await import('${module}'); const engine = await DockerEngine.start();`;
    const program = `${start} console.log(engine.socketPath); setInterval(() => {}, 1000);`;
    const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const socketPath = line.toString().trim();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftovers(socketPath)).not.toEqual([]);
    const next = await DockerEngine.start();
    await next.stop();
    expect(leftovers(socketPath)).toEqual([]);
  });
});
