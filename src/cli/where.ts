/** Where clusters are, by options, variables, a config file and a context: opened when it is asked for. */
import type { ConfigSources } from '../config/load.ts';
import type { ProviderChoice } from '../config/provider-choice.ts';
import { ProcessEnvironment } from '../contract/environment.ts';
import { UsageError, problem } from '../contract/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { CommonOptions } from './common-options.ts';
import type { NamedContext } from './contexts.ts';
import type { Place } from './place.ts';

export type WhereOptions = Pick<
  CommonOptions,
  'config' | 'configFile' | 'context' | 'env' | 'provider' | 'set'
>;

export const nowhere: WhereOptions = {
  config: null,
  configFile: null,
  context: null,
  env: null,
  provider: null,
  set: [],
};

export interface Where {
  /** The values of the config, wherever they come from. */
  readonly sources: () => Promise<ConfigSources>;
  /** `null`: nobody has said anything, and so it is the local provider. */
  readonly choice: () => Promise<ProviderChoice | null>;
  readonly provider: () => Promise<Provider>;
  /** Gives up connections. Never rejects. */
  readonly close: () => Promise<void>;
}

export interface WhereMeans {
  /** For a secret that a provider needs. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string>;
  /** Whether the commands in a config (`${exec:…}`) may be run. */
  readonly runsCommands: boolean;
}

export function createWhere(
  given: WhereOptions,
  place: Place,
  { ask, runsCommands }: WhereMeans,
): Where {
  const options = once(() => resolveOptions(given, place));
  const sources = once(async () => openSources(await options(), place, runsCommands));
  const choice = once(async () => {
    const isAsked =
      isSet(place.environment, clusterVariable) || (await saysWhere(await options(), place));
    return isAsked ? (await sources()).chooseProvider() : null;
  });
  const provider = once(async () => {
    const { loadProvider } = await import('../deployment/registry.ts');
    const { cacheDir, environment, runtimeDir } = place;
    const node = process.execPath;
    const made = { runtimeDir, node, environment, cacheDir, choice: await choice() };
    return loadProvider({ ...made, askSecret: ask });
  });
  let isProviderWanted = false;
  return {
    sources,
    choice,
    provider: () => {
      isProviderWanted = true;
      return provider();
    },
    close: async () => {
      if (isProviderWanted) await (await provider().catch(() => null))?.close();
    },
  };
}

/** Options, and behind them a context that counts. */
async function resolveOptions(given: WhereOptions, place: Place): Promise<WhereOptions> {
  const named = given.context ?? place.environment[ProcessEnvironment.context] ?? '';
  if (named === '' && (await saysWhere(given, place))) return given;
  const { contextNamed, readContexts } = await import('./contexts.ts');
  if (named !== '') return withContext(given, contextNamed(await readContexts(place), named));
  const all = await readContexts(place);
  return all.current === null ? given : withContext(given, contextNamed(all, all.current));
}

const withContext = (given: WhereOptions, context: NamedContext): WhereOptions => ({
  ...given,
  config: given.config ?? (given.configFile === null ? context.config : null),
  env: given.env ?? context.env,
  provider: given.provider ?? context.provider,
  set: [...context.set, ...given.set],
});

async function openSources(
  options: WhereOptions,
  { cwd, environment }: Place,
  runsCommands: boolean,
): Promise<ConfigSources> {
  const { openConfig } = await import('../config/load.ts');
  return openConfig({
    cwd,
    configPath: configFileOf(options),
    environment: options.env,
    provider: options.provider,
    set: options.set,
    env: environment,
    runsCommands,
  });
}

/** @throws UsageError when two are named. */
function configFileOf({ config, configFile }: WhereOptions): string | null {
  if (config === null || configFile === null) return config ?? configFile;
  const message = `two config files are named: --config ${config} and --file ${configFile}`;
  throw new UsageError(problem({ code: 'option-twice', message, hint: 'leave out one of them' }));
}

/** Variables that say where clusters are, and the one that names the cluster. */
const placeVariable = /^FCTL_PROVIDERS?(__.+)?$/i;
const clusterVariable = /^FCTL_CLUSTER$/i;

/**
 * Whether anything but a context says where clusters are (X1 of contexts.ts). Cheap: most calls of `list` and
 * `status` happen where there is no config at all.
 */
async function saysWhere(
  { config, configFile, env, provider, set }: WhereOptions,
  { cwd, environment }: Place,
): Promise<boolean> {
  if ([config, configFile, env, provider].some((given) => given !== null) || set.length > 0)
    return true;
  if (isSet(environment, placeVariable)) return true;
  const { findConfigFile } = await import('../config/find.ts');
  return (await findConfigFile(cwd)) !== null;
}

function isSet(environment: Place['environment'], variable: RegExp): boolean {
  return Object.entries(environment).some(([name, text]) => variable.test(name) && Boolean(text));
}

/** @returns what calls `make` the first time, and gives its result every time. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
