/** Providers by name. Each is loaded when it is used. */
import { join } from 'node:path';
import type { ResolvedConfig } from '../config/resolved.ts';
import { ConfigError, problem } from '../contract/errors.ts';
import type { Provider } from '../providers/provider.ts';

export interface ProviderContext {
  /** Folder with the runtime's entry points. */
  readonly runtimeDir: string;
  /** The Node.js that runs fctl. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  /** `null`: there is no config, and so the provider is the local one. */
  readonly config: ResolvedConfig | null;
  /** Asks for a secret on the terminal. Rejects with a UsageError when nobody is there. */
  readonly askSecret: (question: string, signal: AbortSignal) => Promise<string>;
}

/**
 * The provider of the config, or the local one where there is none.
 * @throws ConfigError for a provider that this version does not have.
 */
export async function loadProvider(context: ProviderContext): Promise<Provider> {
  const { config, environment, node, runtimeDir } = context;
  const name = config?.provider ?? 'local';
  if (name === 'standalone') return loadStandalone(context);
  if (name === 'docker') return loadDocker(context, config!);
  if (name !== 'local') throw unknown(name);
  const { createLocalProvider, resolveLocalOptions } = await import('../providers/local/index.ts');
  const runtime = { dir: runtimeDir, node: config?.runtime.node ?? node };
  const dir = config?.providers.local.dir ?? null;
  return createLocalProvider(resolveLocalOptions(dir, runtime, environment));
}

async function loadStandalone(context: ProviderContext): Promise<Provider> {
  const { askSecret, cacheDir, config, environment, runtimeDir } = context;
  const { createStandaloneProvider, resolveStandaloneOptions } =
    await import('../providers/standalone/index.ts');
  const options = await resolveStandaloneOptions(config!.providers.standalone!, {
    askSecret,
    environment,
    runtimeDir,
    runtimeArchive: async (arch, signal) => {
      const { runtimeFor } = await import('../packaging/runtime.ts');
      return runtimeFor(
        { platform: 'linux', arch },
        {
          node: config!.runtime.node,
          runtimeDir,
          templatesDir: join(runtimeDir, '..', 'templates'),
          cacheDir,
          environment,
          signal,
          onProgress: () => {},
        },
      );
    },
  });
  return createStandaloneProvider(options);
}

async function loadDocker(
  { cacheDir, environment, runtimeDir }: ProviderContext,
  { logging, providers: { docker }, runtime: { node } }: ResolvedConfig,
): Promise<Provider> {
  const { createDockerProvider } = await import('../providers/docker/index.ts');
  const { runtimeImageFor, runtimeImageLayout } = await import('./runtime-image.ts');
  const sources = { cacheDir, environment, runtimeDir, node };
  return createDockerProvider({
    docker,
    logging,
    environment,
    layout: runtimeImageLayout,
    runtimeImage: (target, onProgress, signal) =>
      runtimeImageFor(target, docker.baseImage, { ...sources, onProgress, signal }),
  });
}

function unknown(name: string): ConfigError {
  return new ConfigError(
    problem({
      code: 'not-supported-yet',
      message: `this version of fctl has no provider '${name}'`,
      path: '/provider',
      hint: "use 'local'",
    }),
  );
}
