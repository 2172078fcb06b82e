/** Every place where a user has clusters: that of the project, its environments, and the contexts. */
import { canonicalJson } from '../../contract/hash.ts';
import type { Context } from '../context.ts';
import { readContexts } from '../contexts.ts';
import { type Where, nowhere } from '../where.ts';

export interface NamedPlace {
  /** All names under which it is reached: `here`, `env production`, `context box`. */
  readonly names: readonly string[];
  readonly where: Where;
}

/** Each provider once, however many names lead to it. */
export async function allPlaces(context: Context): Promise<readonly NamedPlace[]> {
  const { config, configFile, set } = context.options;
  const project = { ...nowhere, config, configFile, set };
  // One that cannot be read says so when it is asked for its clusters.
  const sources = await context.sources().catch(() => null);
  const environments = sources?.environments ?? [];
  const { contexts } = await readContexts(context.place);
  const wanted = [
    ['here', project] as const,
    ...environments.map((env) => [`env ${env}`, { ...project, env }] as const),
    ...Object.keys(contexts).map(
      (name) => [`context ${name}`, { ...nowhere, context: name }] as const,
    ),
  ];
  const found = new Map<string, { names: string[]; where: Where }>();
  for (const [name, options] of wanted) {
    const where = context.elsewhere(options);
    const key = await keyOf(where, name);
    const known = found.get(key);
    if (known === undefined) found.set(key, { names: [name], where });
    else known.names.push(name);
  }
  return [...found.values()];
}

/** Tells places apart. One whose config is wrong is its own, and says so when it is asked. */
async function keyOf(where: Where, name: string): Promise<string> {
  const choice = await where.choice().catch(() => undefined);
  if (choice === undefined) return name;
  if (choice === null) return canonicalJson(['local', { dir: null }]);
  const { provider, providers } = choice;
  const sections: Readonly<Record<string, unknown>> = providers;
  return canonicalJson([provider, sections[provider] ?? null]);
}
