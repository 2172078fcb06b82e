/**
 * Loads the configuration: defaults < file < environment overlay < environment variables < flags. All
 * problems are reported in one run.
 */
import { dirname } from 'node:path';
import { ConfigError, type Problem, problem } from '../contract/errors.ts';
import { checkConfig, checkOverlays } from './check.ts';
import { withChosenProvider } from './chosen-provider.ts';
import { fileLayer } from './file-layer.ts';
import { findConfigFile, readConfigFile, searchPlaces } from './find.ts';
import { inOrderOfPlace, locateFinding } from './finding.ts';
import {
  type FileLayer,
  type Layer,
  type Merged,
  isTree,
  mergeLayers,
  pointer,
  valueAt,
} from './layer.ts';
import { resolveReferences } from './references.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import type { ParsedConfig } from './schema.ts';
import { environmentLayer, setLayer } from './strings.ts';
import { closest } from './suggest.ts';

export interface LoadOptions {
  readonly cwd: string;
  /** `null`: it is looked for. */
  readonly configPath: string | null;
  /** Name of an overlay in `environments`. */
  readonly environment: string | null;
  /** `a.b=c` */
  readonly set: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether there must be an application whose entry file exists. */
  readonly requireApplication: boolean;
}

export interface LoadedConfig {
  readonly config: ResolvedConfig;
  /** `null`: there was none, everything came from variables and flags. */
  readonly file: string | null;
  /** With defaults, in the user's units. */
  readonly parsed: ParsedConfig;
  /** Of the value at exactly that path. */
  readonly originOf: Merged['originOf'];
  /** JSON pointers of values that came out of references and must not be shown. */
  readonly secrets: ReadonlySet<string>;
  /** What is allowed and yet worth a thought. */
  readonly warnings: readonly Problem[];
}

/** @throws ConfigError with every problem, each with its place. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const found = await locate(options);
  const file = found === null ? noFile : await fileLayer(found);
  const flags = setLayer(options.set);
  const problems = [...file.problems, ...flags.problems];
  if (file.layer === null) throw new ConfigError(inOrderOfPlace(problems));

  const { layers, problems: overlayProblems } = layersOfFile(file.layer, options.environment);
  const variables = environmentLayer(options.env, mergeLayers(layers).values);
  const merged = mergeLayers([...layers, variables, flags.layer]);
  const folder = found === null ? options.cwd : dirname(found.file);
  const context = { folder, env: options.env };
  const resolved = resolveReferences(withChosenProvider(merged.values, context), context);
  const checked = checkConfig(resolved.values, {
    folder,
    requireApplication: options.requireApplication,
    secrets: resolved.secrets,
    failed: new Set(resolved.findings.map(({ path }) => pointer(path))),
  });
  const findings = [...resolved.findings, ...checked.errors];
  problems.push(
    ...overlayProblems,
    ...findings.map((finding) => locateFinding(finding, merged.locate)),
  );
  if (problems.length > 0 || checked.parsed === null) {
    throw new ConfigError(inOrderOfPlace(problems));
  }
  return {
    config: resolveConfig(checked.parsed, folder, resolved.secrets),
    file: found?.file ?? null,
    parsed: checked.parsed,
    originOf: merged.originOf,
    secrets: resolved.secrets,
    warnings: checked.warnings.map((finding) => locateFinding(finding, merged.locate)),
  };
}

const noFile: FileLayer = { layer: mergeLayers([]), problems: [] };

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
  const isGiven = env['FCTL_CLUSTER'] || set.some((entry) => entry.startsWith('cluster='));
  if (found !== null || isGiven) return found;
  throw new ConfigError(
    problem({
      code: 'config-missing',
      message: `there is no config file in ${cwd} and the folders above`,
      hint: `'fctl init' makes one; looked for ${searchPlaces.join(', ')}`,
    }),
  );
}

/** The file without what only a file may hold, and the overlay that was chosen from it. */
function layersOfFile(
  file: Layer,
  chosen: string | null,
): { layers: Layer[]; problems: readonly Problem[] } {
  const { environments, $schema: _forEditors, ...values } = file.values;
  const layers: Layer[] = [{ values, locate: file.locate }];
  const problems = checkOverlays(environments, chosen).map((finding) =>
    locateFinding(finding, file.locate),
  );
  if (chosen === null) return { layers, problems };
  const known = isTree(environments) ? Object.keys(environments) : [];
  if (!known.includes(chosen)) {
    return { layers, problems: [...problems, unknownEnvironment(chosen, known, file)] };
  }
  const prefix = ['environments', chosen];
  const overlay = valueAt(file.values, prefix);
  layers.push({
    values: isTree(overlay) ? overlay : {},
    locate: (path, part) => {
      const origin = file.locate([...prefix, ...path], part);
      return { ...origin, text: `environment ${chosen}, ${origin.text}`, prefix };
    },
  });
  return { layers, problems };
}

function unknownEnvironment(chosen: string, known: readonly string[], file: Layer): Problem {
  const near = closest(chosen, known);
  const all = known.length > 0 ? `known are ${known.join(', ')}` : 'the config file has none';
  return locateFinding(
    {
      code: 'unknown-environment',
      message: `there is no environment '${chosen}'`,
      path: ['environments'],
      part: 'value',
      hint: near === null ? all : `did you mean '${near}'?`,
    },
    file.locate,
  );
}
