/** Engines by name. Each is loaded when it is used. */
import { ConfigError, problem } from '../contract/errors.ts';
import type { Engine } from './engine.ts';

/** By the name that the config and the record of a cluster have for it. */
export type Engines = Readonly<Record<string, () => Promise<Engine>>>;

export const engines: Engines = {
  bundled: async () => (await import('./bundled/index.ts')).bundledEngine,
};

/** @throws ConfigError for an engine that this version does not have. */
export async function loadEngine(from: Engines, name: string): Promise<Engine> {
  const load = Object.hasOwn(from, name) ? from[name] : undefined;
  if (load !== undefined) return load();
  throw new ConfigError(
    problem({
      code: 'not-supported-yet',
      message: `this version of fctl has no engine '${name}'`,
      path: '/engine',
      hint: `use ${Object.keys(from)
        .map((known) => `'${known}'`)
        .join(' or ')}`,
    }),
  );
}
