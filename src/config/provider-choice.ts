/** What of a configuration says where clusters are, and how they are reached. */
import { type ClusterId, parseClusterId } from '../contract/cluster-id.ts';
import type { Path, Tree } from './layer.ts';
import { resolveLogging, resolveProviders, resolveRuntime } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import { providerChoiceSchema } from './schema.ts';

export interface ProviderChoice extends Pick<
  ResolvedConfig,
  'logging' | 'provider' | 'providers' | 'runtime'
> {
  /** `null` where neither a file nor a variable nor a flag names one. */
  readonly cluster: ClusterId | null;
}

const keys: ReadonlySet<unknown> = new Set(Object.keys(providerChoiceSchema.shape));

/** Whether the value at that path is a part of the choice. */
export const saysWhere = ([key]: Path): boolean => keys.has(key);

/**
 * @param values that were checked.
 * @param projectDir absolute folder of the config file.
 */
export function resolveChoice(values: Tree, projectDir: string): ProviderChoice {
  const chosen = Object.entries(values).filter(([key]) => saysWhere([key]));
  const parsed = providerChoiceSchema.parse(Object.fromEntries(chosen));
  return {
    cluster: parsed.cluster === undefined ? null : parseClusterId(parsed.cluster),
    provider: parsed.provider,
    providers: resolveProviders(parsed.providers, projectDir),
    runtime: resolveRuntime(parsed.runtime, projectDir),
    logging: resolveLogging(parsed.logging),
  };
}
