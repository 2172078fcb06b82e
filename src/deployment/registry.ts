/** Providers by name. Each is loaded when it is used. */
import { join } from 'node:path';
import type { ProviderChoice } from '../config/provider-choice.ts';
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
  /** `null`: nobody has named a provider, and so it is the local one. */
  readonly choice: ProviderChoice | null;
  /** Asks for a secret on the terminal. Rejects with a UsageError when nobody is there. */
  readonly askSecret: (question: string, signal: AbortSignal) => Promise<string>;
}

/**
 * The provider that was chosen, or the local one where none was.
 * @throws ConfigError for a provider that this version does not have.
 */
export async function loadProvider(context: ProviderContext): Promise<Provider> {
  const { choice, environment, node, runtimeDir } = context;
  const name = choice?.provider ?? 'local';
  if (name === 'standalone') return loadStandalone(context);
  if (name === 'docker') return loadDocker(context, choice!);
  if (name !== 'local') throw unknown(name);
  const { createLocalProvider, resolveLocalOptions } = await import('../providers/local/index.ts');
  const runtime = { dir: runtimeDir, node: choice?.runtime.node ?? node };
  const dir = choice?.providers.local.dir ?? null;
  return createLocalProvider(resolveLocalOptions(dir, runtime, environment));
}

async function loadStandalone(context: ProviderContext): Promise<Provider> {
  const { askSecret, cacheDir, choice, environment, runtimeDir } = context;
  const { createStandaloneProvider, resolveStandaloneOptions } =
    await import('../providers/standalone/index.ts');
  const options = await resolveStandaloneOptions(choice!.providers.standalone!, {
    askSecret,
    environment,
    runtimeDir,
    runtimeArchive: async (arch, signal) => {
      const { runtimeFor } = await import('../packaging/runtime.ts');
      return runtimeFor(
        { platform: 'linux', arch },
        {
          node: choice!.runtime.node,
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
  { logging, providers: { docker }, runtime: { node } }: ProviderChoice,
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
