/**
 * What every verb gets: its options, a report, a signal that ends it, and the ways to a config and a
 * provider, which are loaded when asked for.
 */
import { systemClock } from '../contract/clock.ts';
import type { ConfigSources, LoadedConfig } from '../config/load.ts';
import type { ProviderChoice } from '../config/provider-choice.ts';
import { type ClusterId, parseClusterId } from '../contract/cluster-id.ts';
import { ClusterError, UsageError, problem } from '../contract/errors.ts';
import { isConfigVariable } from '../contract/environment.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { splitSecrets, textsOf } from '../contract/secrets.ts';
import type { Site } from '../deployment/site.ts';
import { engines } from '../engines/registry.ts';
import type { Provider } from '../providers/provider.ts';
import type { Report } from './output/report.ts';
import { type Interruption, interruption } from './interruption.ts';
import { askSecret, askYes, nobodyToAsk } from './output/ask.ts';
import type { CommonOptions } from './common-options.ts';

export interface Context {
  readonly place: Place;
  readonly options: CommonOptions;
  readonly report: Report;
  /** Aborted by Ctrl-C, SIGTERM and `--timeout`. */
  readonly signal: AbortSignal;
  readonly interruption: Interruption;
  /** The whole configuration. `set` wins over all other settings. */
  config(requirements?: {
    readonly application?: boolean;
    readonly set?: readonly string[];
  }): Promise<LoadedConfig>;
  /**
   * The configuration, where it is that of the cluster; `null`: it is another one's, or there is none.
   * Secrets and hooks of another cluster are not meant.
   */
  configOf(clusterId: ClusterId): Promise<LoadedConfig | null>;
  /**
   * The provider that a file, a variable or a flag names, or the local one where nobody names any.
   * Closed when the verb has ended.
   *
   * @throws ConfigError when there is a config that is invalid: it may have meant another one.
   */
  provider(): Promise<Provider>;
  /** That provider, and the engines that this fctl has. */
  site(): Promise<Site>;
  /**
   * The cluster that was named, or the config's.
   * @throws UsageError when no cluster can have that name.
   */
  clusterId(named: string | null): Promise<ClusterId>;
  /** The cluster of the config, a variable or a flag; `null` where none of them names one. */
  ownCluster(): Promise<ClusterId | null>;
  /** Whether somebody is at a terminal, and may be asked: neither `--yes` nor `--no-input` was given. */
  readonly canAsk: boolean;
  /**
   * @param signal ends the question; default: what ends the verb.
   * @throws UsageError when nobody is there to ask and `--yes` was not given.
   */
  confirm(question: string, signal?: AbortSignal): Promise<void>;
  /** Gives up what the verb held. Never rejects. */
  dispose(): Promise<void>;
}

export interface Place {
  readonly cwd: string;
  readonly runtimeDir: string;
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  readonly environment: Record<string, string | undefined>;
}

export function createContext(report: Report, options: CommonOptions, place: Place): Context {
  const { command } = report.options;
  const stop = interruption(options.timeout, place.exit);
  const sources = once(() => openSources(options, place));
  const choice = once(async () =>
    (await isConfigured(options, place)) ? (await sources()).chooseProvider() : null,
  );
  const askFor = async (question: string, signal: AbortSignal) => {
    stop.signal.throwIfAborted();
    if (options.noInput) throw nobodyToAsk(question);
    const answer = await askSecret(question, AbortSignal.any([signal, stop.signal]));
    if (answer === null) throw stop.refuse();
    return answer;
  };
  const provider = once(async () => open(await choice(), place, askFor));
  let isProviderWanted = false;
  const context: Context = {
    place,
    options,
    report,
    signal: stop.signal,
    interruption: stop,
    config: async ({ application = false, set = [] } = {}) => {
      const loaded = await (await sources()).load({ requireApplication: application, set });
      report.redactor.add(secretsOf(loaded.config));
      for (const warning of loaded.warnings) report.warning(warning);
      return loaded;
    },
    configOf: async (clusterId) =>
      (await choice())?.cluster === clusterId ? context.config() : null,
    provider: () => {
      isProviderWanted = true;
      return provider();
    },
    site: async () => ({
      provider: await context.provider(),
      engines,
      clock: systemClock,
      signal: stop.signal,
    }),
    clusterId: async (named) => {
      if (named !== null) return parseClusterId(named);
      const cluster = await context.ownCluster();
      if (cluster !== null) return cluster;
      throw new UsageError(
        problem({
          code: 'cluster-missing',
          message: `'fctl ${command}' needs a cluster: name one, or run it where a config file is`,
          hint: "'fctl list' shows all clusters",
        }),
      );
    },
    canAsk: !options.yes && !options.noInput && process.stdin.isTTY,
    ownCluster: async () => (await choice())?.cluster ?? null,
    confirm: (question, signal = stop.signal) => confirm(question, options, signal),
    dispose: async () => {
      stop.dispose();
      if (isProviderWanted) await (await provider().catch(() => null))?.close();
    },
  };
  return context;
}

/** @param choice `null`: nobody has said anything, and so it is the local one. */
async function open(
  choice: ProviderChoice | null,
  place: Place,
  ask: (question: string, signal: AbortSignal) => Promise<string>,
): Promise<Provider> {
  const { loadProvider } = await import('../deployment/registry.ts');
  const { cacheDir, environment, runtimeDir } = place;
  const node = process.execPath;
  return loadProvider({ runtimeDir, node, environment, cacheDir, choice, askSecret: ask });
}

async function openSources(
  options: CommonOptions,
  { cwd, environment }: Place,
): Promise<ConfigSources> {
  const { openConfig } = await import('../config/load.ts');
  return openConfig({
    cwd,
    configPath: configFileOf(options),
    environment: options.env,
    provider: options.provider,
    set: options.set,
    env: environment,
  });
}

/** @throws UsageError when two are named. */
function configFileOf({ config, configFile }: CommonOptions): string | null {
  if (config === null || configFile === null) return config ?? configFile;
  const message = `two config files are named: --config ${config} and --file ${configFile}`;
  throw new UsageError(problem({ code: 'option-twice', message, hint: 'leave out one of them' }));
}

/** Cheap: most calls of `list` and `status` happen where there is no config at all. */
async function isConfigured(
  { config, configFile, env, provider, set }: CommonOptions,
  { cwd, environment }: Place,
): Promise<boolean> {
  if ([config, configFile, env, provider].some((given) => given !== null) || set.length > 0)
    return true;
  if (Object.keys(environment).some(isConfigVariable)) return true;
  const { findConfigFile } = await import('../config/find.ts');
  return (await findConfigFile(cwd)) !== null;
}

/** What must be shown nowhere. */
function secretsOf({ application }: LoadedConfig['config']): string[] {
  if (application === null) return [];
  return textsOf(splitSecrets(application.args, application.secretArgs).secrets);
}

/** @returns what calls `make` the first time, and gives its result every time. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function confirm(
  question: string,
  options: CommonOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.yes) return;
  if (options.noInput || !process.stdin.isTTY) {
    throw new UsageError(
      problem({
        code: 'not-confirmed',
        message: `${question} Nobody is there to ask.`,
        hint: 'repeat with --yes',
      }),
    );
  }
  if (await askYes(question, signal)) return;
  throw new ClusterError(
    ExitCode.interrupted,
    problem({ code: 'not-confirmed', message: 'nothing was changed' }),
  );
}
