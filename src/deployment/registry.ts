/** Opens the provider that was chosen, with what packaging makes for it. */
import { join } from 'node:path';
import { ConfigError, problem } from '../contract/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { OpenContext } from '../providers/registration.ts';
import { findProvider, providerNames } from '../providers/registry.ts';

export interface ProviderContext extends Omit<
  OpenContext,
  'runtimeArchive' | 'runtimeFiles' | 'runtimeImages'
> {
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
}

/**
 * The provider that was chosen, or the local one where none was.
 * @throws ConfigError for a provider that this version does not have.
 */
export async function loadProvider(context: ProviderContext): Promise<Provider> {
  const { cacheDir, choice, environment, runtimeDir } = context;
  const name = choice?.provider ?? 'local';
  const registration = findProvider(name);
  if (registration === null) throw unknown(name);
  const sources = { node: choice?.runtime.node ?? null, runtimeDir, cacheDir, environment };
  const templatesDir = join(runtimeDir, '..', 'templates');
  return registration.open({
    ...context,
    runtimeFiles: async () => {
      const { runtimeCopy } = await import('../packaging/runtime-copy.ts');
      return runtimeCopy(runtimeDir, templatesDir);
    },
    runtimeArchive: async (arch, signal) => {
      const { runtimeFor } = await import('../packaging/runtime.ts');
      const options = { ...sources, templatesDir, signal, onProgress: () => {} };
      return runtimeFor({ platform: 'linux', arch }, options);
    },
    runtimeImages: async () => {
      const { runtimeImageFor, runtimeImageLayout } = await import('./runtime-image.ts');
      return {
        layout: runtimeImageLayout,
        make: (target, baseImage, onProgress, signal) =>
          runtimeImageFor(target, baseImage, { ...sources, onProgress, signal }),
      };
    },
  });
}

function unknown(name: string): ConfigError {
  return new ConfigError(
    problem({
      code: 'not-supported-yet',
      message: `this version of fctl has no provider '${name}'`,
      path: '/provider',
      hint: `use ${providerNames.map((known) => `'${known}'`).join(' or ')}`,
    }),
  );
}
