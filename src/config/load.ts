/**
 * Loads the configuration: defaults < file < environment overlay < environment variables < flags. All
 * problems are reported in one run.
 */
import { dirname } from 'node:path';
import { ConfigError, type Problem, problem } from '../contract/errors.ts';
import { checkConfig } from './check.ts';
import { fileLayer } from './file-layer.ts';
import { findConfigFile, readConfigFile, searchPlaces } from './find.ts';
import { type Layer, type Merged, type Tree, mergeLayers } from './layer.ts';
import { resolveReferences } from './references.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import type { ParsedConfig } from './schema.ts';
import { environmentLayer, setLayer } from './strings.ts';

export interface LoadOptions {
  readonly cwd: string;
  /** `null`: it is looked for. */
  readonly configPath: string | null;
  /** Name of an overlay in `environments`. */
  readonly environment: string | null;
  /** `a.b=c` */
  readonly set: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly requireApplication: boolean;
}

export interface LoadedConfig {
  readonly config: ResolvedConfig;
  /** `null`: there was none, everything came from variables and flags. */
  readonly file: string | null;
  /** With defaults, in the user's units. */
  readonly parsed: ParsedConfig;
  readonly originOf: Merged['originOf'];
  /** JSON pointers of values that must not be shown. */
  readonly secrets: ReadonlySet<string>;
}

/** @throws ConfigError with every problem, each with its place. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const found = await locate(options);
  const problems: Problem[] = [];
  const layers: Layer[] = found === null ? [] : [await fileLayer(found)];
  layers.push(...overlay(layers[0], options, problems));
  layers.push(environmentLayer(options.env), setLayer(options.set, problems));
  const merged = mergeLayers(layers);
  const folder = found === null ? options.cwd : dirname(found.file);
  const { values, secrets, failures } = resolveReferences(merged.values, {
    folder,
    env: options.env,
  });
  for (const { path, message } of failures) {
    const { file, line, column } = merged.originOf(path);
    problems.push(
      problem({
        code: 'reference-failed',
        message,
        path: `/${path.join('/')}`,
        file,
        line,
        column,
      }),
    );
  }
  const { requireApplication } = options;
  const checked = checkConfig(merged, values, { folder, requireApplication });
  problems.push(...checked.problems);
  if (problems.length > 0 || checked.parsed === null) throw new ConfigError(problems);
  return {
    config: resolveConfig(checked.parsed, folder),
    file: found?.file ?? null,
    parsed: checked.parsed,
    originOf: merged.originOf,
    secrets,
  };
}

async function locate({ cwd, configPath, env, set }: LoadOptions) {
  if (configPath !== null) {
    return readConfigFile(cwd, configPath).catch((error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'ENOENT'
          ? `the config file ${configPath} does not exist`
          : `the config file ${configPath} cannot be read: ${error.message}`;
      throw new ConfigError(problem({ code: 'config-missing', message, file: configPath }));
    });
  }
  const found = await findConfigFile(cwd);
  const isGiven =
    env['FCTL_CLUSTER'] !== undefined || set.some((entry) => entry.startsWith('cluster='));
  if (found !== null || isGiven) return found;
  throw new ConfigError(
    problem({
      code: 'config-missing',
      message: `there is no config file in ${cwd} and the folders above`,
      hint: `'fctl init' makes one; looked for ${searchPlaces.join(', ')}`,
    }),
  );
}

/** The overlay that was chosen. Its positions are those of the file. */
function overlay(
  file: Layer | undefined,
  { environment }: LoadOptions,
  problems: Problem[],
): Layer[] {
  if (environment === null) return [];
  const environments = (file?.values['environments'] ?? {}) as Tree;
  if (!Object.hasOwn(environments, environment)) {
    const known = Object.keys(environments);
    problems.push(
      problem({
        code: 'unknown-environment',
        message: `there is no environment '${environment}'`,
        path: '/environments',
        hint:
          known.length > 0
            ? `known are ${known.join(', ')}`
            : 'the config file has no environments',
      }),
    );
    return [];
  }
  const values = environments[environment] as Tree;
  return [
    {
      values,
      originOf: (path) => {
        const origin = file!.originOf(['environments', environment, ...path]);
        return { ...origin, text: `environment ${environment}, ${origin.text}` };
      },
    },
  ];
}
