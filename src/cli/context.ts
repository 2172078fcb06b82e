/**
 * What every verb gets: its options, a report, a signal that ends it, and the ways to a config and a
 * provider, which are loaded when asked for.
 */
import type { LoadedConfig } from '../config/load.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { type ClusterId, parseClusterId } from '../contract/cluster-id.ts';
import { ClusterError, ConfigError, UsageError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { splitSecrets } from '../contract/secrets.ts';
import type { Site } from '../deployment/site.ts';
import { engines } from '../engines/registry.ts';
import type { Provider } from '../providers/provider.ts';
import type { Report } from './output/report.ts';
import { type Interruption, interruption } from './interruption.ts';
import { askSecret } from './output/ask.ts';

/** Options that every verb understands. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly yes?: boolean;
  /** A duration. */
  readonly timeout?: string;
  readonly config?: string;
  readonly env?: string;
  readonly set?: readonly string[];
}

export interface Context<O extends CommonOptions = CommonOptions> {
  readonly place: Place;
  readonly options: O;
  readonly report: Report;
  /** Aborted by Ctrl-C, SIGTERM and `--timeout`. */
  readonly signal: AbortSignal;
  readonly interruption: Interruption;
  /** Loaded once. `set` wins over all other settings. */
  config(requirements?: {
    readonly application?: boolean;
    readonly set?: readonly string[];
  }): Promise<LoadedConfig>;
  /** The config, where there is one that is valid; `null` otherwise. What was asked for must be valid. */
  optionalConfig(): Promise<LoadedConfig | null>;
  /**
   * The provider of the config, or the local one where there is none. So it is, with a warning, where
   * a file that nobody asked for is invalid: a cluster can be looked at and ended all the same.
   */
  provider(): Promise<Provider>;
  /** That provider, and the engines that this fctl has. */
  site(): Promise<Site>;
  /** Closed when the verb has ended. @param config `null`: the local provider. */
  providerFor(config: ResolvedConfig | null): Promise<Provider>;
  /**
   * The cluster that was named, or the config's.
   * @throws UsageError when no cluster can have that name.
   */
  clusterId(named: string | undefined): Promise<ClusterId>;
  /** @throws UsageError when nobody is there to ask and `--yes` was not given. */
  confirm(question: string): Promise<void>;
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
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createContext<O extends CommonOptions>(
  report: Report,
  options: O,
  place: Place,
): Context<O> {
  const { command } = report.options;
  const stop = interruption(options.timeout ?? null, place.exit);
  let loaded: Promise<LoadedConfig> | undefined;
  let provider: Promise<Provider> | undefined;
  const context: Context<O> = {
    place,
    options,
    report,
    signal: stop.signal,
    interruption: stop,
    config: ({ application = false, set = [] } = {}) => {
      const all = { ...options, set: [...(options.set ?? []), ...set] };
      return (loaded ??= load(all, place, report, application));
    },
    optionalConfig: async () => {
      if (!(await hasConfig(options, place))) return null;
      try {
        return await context.config();
      } catch (error) {
        if (isChosen(options) || !(error instanceof ConfigError)) throw error;
        report.warning(unusable(error));
        return null;
      }
    },
    provider: async () => context.providerFor((await context.optionalConfig())?.config ?? null),
    site: async () => ({ provider: await context.provider(), engines }),
    providerFor: (config) => (provider ??= open(config, place)),
    clusterId: async (named) => {
      if (named !== undefined) return parseClusterId(named);
      if (await hasConfig(options, place)) return (await context.config()).config.cluster;
      throw new UsageError(
        problem({
          code: 'cluster-missing',
          message: `'fctl ${command}' needs a cluster: name one, or run it where a config file is`,
          hint: "'fctl list' shows all clusters",
        }),
      );
    },
    confirm: (question) => confirm(question, options),
    dispose: async () => {
      stop.dispose();
      await (await provider?.catch(() => null))?.close();
    },
  };
  return context;
}

async function open(config: ResolvedConfig | null, place: Place): Promise<Provider> {
  const { loadProvider } = await import('../deployment/registry.ts');
  const { cacheDir, environment, runtimeDir } = place;
  const node = process.execPath;
  return loadProvider({ runtimeDir, node, environment, cacheDir, config, askSecret });
}

async function load(
  options: CommonOptions,
  place: Place,
  report: Report,
  requireApplication: boolean,
): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({
    cwd: place.cwd,
    configPath: options.config ?? null,
    environment: options.env ?? null,
    set: options.set ?? [],
    env: place.environment,
    requireApplication,
  });
  const { application } = loaded.config;
  if (application !== null) {
    report.redactor.add(
      Object.values(splitSecrets(application.args, application.secretArgs).secrets),
    );
  }
  for (const warning of loaded.warnings) report.warning(warning);
  return loaded;
}

const isChosen = ({ config, env, set }: CommonOptions) =>
  config !== undefined || env !== undefined || set !== undefined;

function unusable({ problems }: ConfigError) {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return {
    ...first!,
    message: `${first!.message}${more}: looking at the clusters of provider local`,
    hint: "'fctl config validate' shows everything that is wrong",
  };
}

/** Cheap: most calls of `list` and `status` happen where there is no config at all. */
async function hasConfig(options: CommonOptions, place: Place): Promise<boolean> {
  if (isChosen(options)) return true;
  const { findConfigFile } = await import('../config/find.ts');
  return (await findConfigFile(place.cwd)) !== null;
}

async function confirm(question: string, options: CommonOptions): Promise<void> {
  if (options.yes) return;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      problem({
        code: 'not-confirmed',
        message: `${question} Nobody is there to ask.`,
        hint: 'repeat with --yes',
      }),
    );
  }
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    prompt.close();
  }
  throw new ClusterError(
    ExitCode.interrupted,
    problem({ code: 'not-confirmed', message: 'nothing was changed' }),
  );
}
