/** Options of the standalone provider. */
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ResolvedStandalone } from '../../config/providers/standalone.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import { sha256OfFile } from '../../contract/hash.ts';
import type { Architecture } from './facts.ts';
import type { HostOptions } from './host.ts';
import type { RuntimeArchive } from './runtimes.ts';
import { SecretPrompts } from './ssh/secrets.ts';

export interface StandaloneOptions {
  readonly config: ResolvedStandalone;
  readonly host: HostOptions;
  /** `templates/systemd/process.service`. */
  readonly unitTemplate: () => Promise<string>;
  /** Makes, or finds, what processes run with. */
  readonly runtimeArchive: (arch: Architecture, signal: AbortSignal) => Promise<RuntimeArchive>;
}

export interface StandaloneContext {
  /** Folder with fctl's own built scripts, the agent's among them. */
  readonly runtimeDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly askSecret: (question: string, signal: AbortSignal) => Promise<string>;
  readonly runtimeArchive: StandaloneOptions['runtimeArchive'];
}

/** @throws ProviderError `runtime-missing` when fctl is not built. */
export async function resolveStandaloneOptions(
  config: ResolvedStandalone,
  { askSecret, environment, runtimeArchive, runtimeDir }: StandaloneContext,
): Promise<StandaloneOptions> {
  const homeDir = environment['HOME'] || homedir() || tmpdir();
  const file = join(runtimeDir, 'host-agent.js');
  const { agent, connectTimeoutMs, hostKeys, keepAliveMs, knownHosts, passphrase, password } =
    config;
  return {
    config,
    runtimeArchive,
    unitTemplate: () =>
      readFile(join(runtimeDir, '..', 'templates', 'systemd', 'process.service'), 'utf8'),
    host: {
      dir: config.dir,
      homeDir,
      sshConfig: config.sshConfig
        ? { homeDir, ssh: findProgram('ssh', environment['PATH'] ?? '') }
        : null,
      agent: await describeAgent(file),
      connection: {
        connectTimeoutMs,
        keepAliveMs,
        hostKeyPolicy: { hostKeys, knownHosts },
        credentials: {
          passphrase,
          password,
          agentSocket: agent ? environment['SSH_AUTH_SOCK'] || null : null,
          prompts: new SecretPrompts(askSecret),
        },
      },
    },
  };
}

async function describeAgent(file: string): Promise<HostOptions['agent']> {
  const hash = await sha256OfFile(file).catch(() => null);
  if (hash !== null) return { file, hash };
  throw new ProviderError(
    problem({
      code: 'runtime-missing',
      message: `there is no runtime in ${file}`,
      hint: 'install fctl again; in its repository: npm run build',
    }),
  );
}

function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // The next one.
    }
  }
  return null;
}
