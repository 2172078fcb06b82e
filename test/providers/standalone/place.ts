/** Hosts on this machine and a standalone provider that reaches them. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { UsageError, problem } from '../../../src/contract/errors.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import type { ResolvedStandalone } from '../../../src/config/providers/standalone.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import {
  createStandaloneProvider,
  resolveStandaloneOptions,
} from '../../../src/providers/standalone/index.ts';
import { FakeHost, type FakeHostOptions, type KeyPair, makeKey } from './ssh-server.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

export interface Archive {
  readonly hash: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** A runtime whose Node.js is this one, by a script: the real one weighs 120 MB. */
async function makeArchive(folder: string): Promise<Archive> {
  const content = join(folder, 'runtime');
  await mkdir(join(content, 'bin'), { recursive: true });
  await mkdir(join(content, 'dist'));
  await mkdir(join(content, 'templates'));
  await writeFile(join(content, 'bin/node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
  await chmod(join(content, 'bin/node'), 0o755);
  await copyFile(join(root, 'templates/supervise.sh'), join(content, 'templates/supervise.sh'));
  await writeFile(join(content, 'dist/jobmanager.js'), '');
  const file = join(folder, 'runtime.tar.gz');
  await run('tar', ['-czf', file, '-C', content, '.']);
  const tar = execFileSync('gzip', ['-dc', file], { maxBuffer: 1 << 28 });
  return { hash: sha256(tar), file, sizeBytes: (await stat(file)).size };
}

const nobodyIsThere = () =>
  new UsageError(problem({ code: 'not-a-terminal', message: 'nobody is there' }));

export interface PlaceOptions {
  readonly hosts?: readonly FakeHostOptions[];
  readonly config?: (given: ResolvedStandalone, hosts: readonly FakeHost[]) => ResolvedStandalone;
  readonly askSecret?: (question: string, signal: AbortSignal) => Promise<string>;
}

export class Place {
  readonly hosts: readonly FakeHost[];
  readonly folder: string;
  readonly archive: Archive;
  readonly key: KeyPair;
  readonly config: ResolvedStandalone;
  readonly #askSecret: (question: string, signal: AbortSignal) => Promise<string>;

  private constructor(
    parts: Pick<Place, 'hosts' | 'folder' | 'archive' | 'key' | 'config'>,
    askSecret: (question: string, signal: AbortSignal) => Promise<string>,
  ) {
    ({
      hosts: this.hosts,
      folder: this.folder,
      archive: this.archive,
      key: this.key,
      config: this.config,
    } = parts);
    this.#askSecret = askSecret;
  }

  static async start({
    askSecret = () => Promise.reject(nobodyIsThere()),
    config = (given) => given,
    hosts: wanted = [{}],
  }: PlaceOptions = {}): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'fctl-standalone-'));
    const key = makeKey();
    await mkdir(join(folder, 'home'));
    await writeFile(join(folder, 'key'), key.private, { mode: 0o600 });
    const hosts = await Promise.all(
      wanted.map((options, index) =>
        FakeHost.start({
          address: `127.0.0.${index + 1}`,
          authorized: [key.public],
          ...options,
        }),
      ),
    );
    await writeFile(join(folder, 'known_hosts'), hosts.map((host) => host.knownHosts).join(''));
    await build({
      absWorkingDir: root,
      entryPoints: { 'host-agent': 'src/providers/standalone/agent/main.ts' },
      outdir: join(folder, 'dist'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'warning',
    });
    await cp(join(root, 'templates'), join(folder, 'templates'), { recursive: true });
    const given: ResolvedStandalone = {
      hosts: hosts.map(({ address, port }) => ({
        address,
        role: 'both',
        advertise: null,
        user: 'fctl',
        port,
        identityFile: join(folder, 'key'),
        jump: null,
      })),
      login: { user: 'fctl', port: null, identityFile: join(folder, 'key'), jump: null },
      passphrase: null,
      password: null,
      agent: false,
      sshConfig: true,
      knownHosts: join(folder, 'known_hosts'),
      hostKeys: 'strict',
      dir: '~/fctl dir',
      supervisor: 'script',
      rest: 'auto',
      connectTimeoutMs: 10_000,
      keepAliveMs: 5000,
      parallel: 16,
    };
    const archive = await makeArchive(folder);
    const parts = { hosts, folder, archive, key, config: config(given, hosts) };
    return new Place(parts, askSecret);
  }

  /** Another client of these hosts. */
  async open(change: Partial<ResolvedStandalone> = {}): Promise<Provider> {
    const options = await resolveStandaloneOptions(
      { ...this.config, ...change },
      {
        runtimeDir: join(this.folder, 'dist'),
        environment: { HOME: join(this.folder, 'home'), PATH: process.env['PATH'] },
        askSecret: this.#askSecret,
        runtimeArchive: async () => this.archive,
      },
    );
    return createStandaloneProvider(options);
  }

  /** The folder of fctl on a host. */
  dirOn(host: FakeHost): string {
    return join(host.home, 'fctl dir');
  }

  async close(): Promise<void> {
    for (const host of this.hosts) await host.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
