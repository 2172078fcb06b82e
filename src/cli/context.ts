/**
 * What every verb gets: its options, a report, a signal that ends it, and the ways to a config and a
 * provider, which are loaded when asked for.
 */
import { systemClock } from '../contract/clock.ts';
import type { ConfigSources, LoadedConfig } from '../config/load.ts';
import { type ClusterId, parseClusterId } from '../contract/cluster-id.ts';
import { ClusterError, UsageError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { splitSecrets, textsOf } from '../contract/secrets.ts';
import type { Site } from '../deployment/site.ts';
import { engines } from '../engines/registry.ts';
import type { Provider } from '../providers/provider.ts';
import type { Report } from './output/report.ts';
import { type Interruption, interruption } from './interruption.ts';
import type { Place } from './place.ts';
import { type Where, type WhereOptions, createWhere } from './where.ts';
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
  /** The same for another provider. */
  siteOf(provider: Provider): Site;
  /** Where the values of the config come from. */
  sources(): Promise<ConfigSources>;
  /** Another place where clusters are. Closed when the verb has ended. */
  elsewhere(options: WhereOptions): Where;
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

/** @param runsCommands whether the commands in a config (`${exec:…}`) may be run. */
export function createContext(
  report: Report,
  options: CommonOptions,
  place: Place,
  runsCommands: boolean,
): Context {
  const { command } = report.options;
  const stop = interruption(options.timeout, place.exit);
  const askFor = async (question: string, signal: AbortSignal) => {
    stop.signal.throwIfAborted();
    const { askSecret, nobodyToAsk } = await import('./output/ask.ts');
    if (options.noInput) throw nobodyToAsk(question);
    const answer = await askSecret(question, AbortSignal.any([signal, stop.signal]));
    if (answer === null) throw stop.refuse();
    return answer;
  };
  const opened: Where[] = [];
  const open = (where: WhereOptions): Where => {
    opened.push(createWhere(where, place, { ask: askFor, runsCommands }));
    return opened.at(-1)!;
  };
  const { choice, provider, sources } = open(options);
  const siteOf = (at: Provider): Site => ({
    provider: at,
    engines,
    clock: systemClock,
    signal: stop.signal,
    redactor: report.redactor,
  });
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
    sources,
    provider,
    site: async () => siteOf(await provider()),
    siteOf,
    elsewhere: open,
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
      await Promise.all(opened.map((where) => where.close()));
    },
  };
  return context;
}

/** What must be shown nowhere. */
function secretsOf({ application }: LoadedConfig['config']): string[] {
  if (application === null) return [];
  return textsOf(splitSecrets(application.args, application.secretArgs).secrets);
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
  const { askYes } = await import('./output/ask.ts');
  if (await askYes(question, signal)) return;
  throw new ClusterError(
    ExitCode.interrupted,
    problem({ code: 'not-confirmed', message: 'nothing was changed' }),
  );
}
