/**
 * A Docker engine of its own: dockerd and containerd with their own socket, data, bridge and cgroup, beside
 * which others run undisturbed. The scripts beside this file make and remove it. The machine's firewall stays
 * as it is: containers of a network reach each other, and the machine their published ports; they reach
 * nothing outside, so that images come from here alone.
 *
 * Stages: starting (the script `up`), running, down and running again, stopped.
 *
 * D1  Engines do not meet: each has a number, from which its networks and all of its names come.
 * D2  Nothing is left of an engine: `stop` removes it, or the end of this process, or the next start.
 * D3  Who shares an engine leaves nothing on it but images: `stop` fails otherwise.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expectUnused } from '../expect-unused.ts';
import type { Rig } from '../rig.ts';
import { Scripts, canRun } from '../scripts.ts';

const needed = [
  '/usr/sbin/dockerd',
  '/usr/bin/docker',
  '/usr/bin/containerd',
  '/usr/bin/openssl',
  '/usr/bin/curl',
  '/bin/busybox',
  '/sbin/ip',
];

export const dockerRig: Rig = {
  name: 'docker',
  install: 'test/rigs/docker/install',
  isInstalled: () => canRun(needed),
};

interface EngineOptions {
  /** Whether it listens on TCP with TLS too. Default false. */
  readonly tls?: boolean;
}

interface Answer {
  /** Absent: it was killed. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class DockerEngine {
  readonly socketPath: string;
  /** As of DOCKER_HOST. */
  readonly host: string;
  /** Has this repository's node, a busybox and the users root and node. */
  readonly baseImage: string;
  /** Null: not asked for. With `caDir` as DOCKER_CERT_PATH clients may use `host`: ca.pem, cert.pem, key.pem. */
  readonly tls: { readonly host: string; readonly caDir: string } | null;
  readonly #scripts: Scripts;

  private constructor(scripts: Scripts) {
    this.#scripts = scripts;
    this.socketPath = join(scripts.folder, 'docker.sock');
    this.host = `unix://${this.socketPath}`;
    this.baseImage = scripts.said.get('IMAGE')!;
    const caDir = join(scripts.folder, 'tls');
    const port = scripts.said.get('PORT')!;
    this.tls = port === '' ? null : { host: `tcp://127.0.0.1:${port}`, caDir };
  }

  /** Returns when it answers and has the base image. */
  static async start({ tls = false }: EngineOptions = {}): Promise<DockerEngine> {
    const node = join(import.meta.dirname, '../../../node_modules/.bin/node');
    const port = tls ? await freePort() : null;
    const options = port === null ? [] : ['--tls', `${port}`];
    return new DockerEngine(await Scripts.up(import.meta.dirname, ...options, node));
  }

  /**
   * The engine that a whole run of suites shares, which tools/ci/run.ts starts; without one, one of its own. It
   * listens with TLS too. For suites that neither restart it nor need it empty of images.
   */
  static async share(): Promise<DockerEngine> {
    const scripts = Scripts.handedOver(import.meta.dirname);
    return scripts === null ? DockerEngine.start({ tls: true }) : new DockerEngine(scripts);
  }

  /** A variable of the environment with which `share` of another process finds this engine. */
  get handover(): Readonly<Record<string, string>> {
    return this.#scripts.handover;
  }

  /** Runs Docker's own client: `docker('ps', '-a')`. */
  docker(...args: readonly string[]): Promise<Answer> {
    return execa('docker', ['--host', this.host, ...args], {
      reject: false,
      stdin: 'ignore',
      // No context and no credentials of who runs the tests.
      env: { DOCKER_CONFIG: this.#scripts.folder, DOCKER_CONTEXT: undefined },
    });
  }

  /** Stops the engine, with it the containers, and starts it on what it had; also after `kill`. */
  async restart(): Promise<void> {
    await this.#scripts.run('engine', 'stop');
    await this.#scripts.run('engine', 'start');
  }

  /** Kills dockerd. Containers go on, and nobody answers. */
  async kill(): Promise<void> {
    await this.#scripts.run('engine', 'kill');
  }

  /** Removes containers, networks, images and the engine. One that is shared stays, and has to be empty (D3). */
  async stop(): Promise<void> {
    if (this.#scripts.isShared) await expectUnused('engine', () => this.#inUse());
    await this.#scripts.down(); // D2
  }

  async #inUse(): Promise<readonly string[]> {
    const kinds = [
      ['ps', '--all', '--format', 'container {{.Names}}'],
      ['volume', 'ls', '--format', 'volume {{.Name}}'],
      ['network', 'ls', '--filter', 'type=custom', '--format', 'network {{.Name}}'],
    ] as const;
    const found: string[] = [];
    for (const kind of kinds) {
      const { exitCode, stderr, stdout } = await this.docker(...kind);
      if (exitCode !== 0) throw new Error(stderr);
      found.push(...stdout.split('\n').filter((line) => line !== ''));
    }
    return found;
  }
}

/** One that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
