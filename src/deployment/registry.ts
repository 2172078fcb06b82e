/** Providers and engines by name. Each is loaded when it is used. */
import { ConfigError, problem } from '../contract/errors.ts';
import type { Engine } from '../engines/engine.ts';
import type { Provider } from '../providers/provider.ts';

export interface ProviderContext {
  /** Folder with the runtime's entry points. */
  readonly runtimeDir: string;
  /** The Node.js that runs fctl. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The config's `providers.local.dir`; `null` without a config or when it is not set. */
  readonly localDir: string | null;
}

/** @throws ConfigError for a provider that this version does not have. */
export async function loadProvider(name: string, context: ProviderContext): Promise<Provider> {
  if (name !== 'local') throw unknown('provider', name, 'local');
  const { createLocalProvider, resolveLocalOptions } = await import('../providers/local/index.ts');
  const runtime = { dir: context.runtimeDir, node: context.node };
  return createLocalProvider(resolveLocalOptions(context.localDir, runtime, context.environment));
}

/** @throws ConfigError for an engine that this version does not have. */
export async function loadEngine(name: string): Promise<Engine> {
  if (name !== 'bundled') throw unknown('engine', name, 'bundled');
  const { bundledEngine } = await import('../engines/bundled/index.ts');
  return bundledEngine;
}

function unknown(what: string, name: string, known: string): ConfigError {
  return new ConfigError(
    problem({
      code: 'not-supported-yet',
      message: `this version of fctl has no ${what} '${name}'`,
      path: `/${what}`,
      hint: `use '${known}'`,
    }),
  );
}
