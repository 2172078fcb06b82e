/**
 * Loads the configuration: defaults < file < environment overlay < environment variables < flags. All
 * problems are reported in one run.
 *
 * C1  The sources are read once a run: a config in TypeScript is evaluated once, and each reference is
 *     resolved at most once. So whatever a command asks for afterwards comes from the same configuration.
 * C2  A configuration with a problem is none. Nothing falls back to a default in its place, for then a
 *     command would act on another provider than the one that was meant.
 * C3  Who only needs to know where clusters are resolves no reference that says nothing of it: not to
 *     show a list may a command of somebody's config be run that fetches the secrets of an application.
 * C4  Whoever only looks at clusters runs no command at all: a look into a repository that was just cloned
 *     must not run what its author wrote. A reference that is needed, and is a command, is a problem.
 */
import { dirname } from 'node:path';
import { ConfigError, type Problem, problem } from '../contract/errors.ts';
import { type CheckOptions, checkChoice, checkConfig, checkOverlays } from './check.ts';
import { withChosenProvider } from './chosen-provider.ts';
import { fileLayer } from './file-layer.ts';
import { findConfigFile, readConfigFile, searchPlaces } from './find.ts';
import { type Finding, inOrderOfPlace, locateFinding } from './finding.ts';
import {
  type FileLayer,
  type Layer,
  type Merged,
  type Path,
  isTree,
  mergeLayers,
  pointer,
  simpleLayer,
  valueAt,
} from './layer.ts';
import { type ProviderChoice, resolveChoice, saysWhere } from './provider-choice.ts';
import { type ReferenceContext, type ResolvedReferences, resolveReferences } from './references.ts';
import { resolveConfig } from './resolve.ts';
import type { ResolvedConfig } from './resolved.ts';
import type { ParsedConfig } from './schema.ts';
import { environmentLayer, setLayer } from './strings.ts';
import { closest } from './suggest.ts';

export interface SourceOptions {
  readonly cwd: string;
  /** `null`: it is looked for. */
  readonly configPath: string | null;
  /** Name of an overlay in `environments`. */
  readonly environment: string | null;
  /** `--provider`, which wins over everything else. */
  readonly provider: string | null;
  /** `a.b=c` */
  readonly set: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether commands in references (`${exec:…}`) are run. Default: they are. */
  readonly runsCommands?: boolean;
}

export interface LoadOptions {
  /** `a.b=c`, above those of the sources: what a verb's own flags say. */
  readonly set: readonly string[];
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

/** Where the values of a configuration come from, read and not yet checked (C1). */
export interface ConfigSources {
  /** Names of the overlays in `environments`. */
  readonly environments: readonly string[];
  /** The whole configuration. @throws ConfigError with every problem, each with its place. */
  load(options: LoadOptions): Promise<LoadedConfig>;
  /**
   * What of it says where clusters are. Other references stay unresolved (C3); all else that is wrong
   * is found all the same (C2).
   *
   * @throws ConfigError with every problem, each with its place.
   */
  chooseProvider(): Promise<ProviderChoice>;
}

/** @throws ConfigError when the file cannot be read or understood. */
export async function openConfig(options: SourceOptions): Promise<ConfigSources> {
  const found = await locate(options);
  const file = found === null ? noFile : await fileLayer(found);
  const flags = setLayer(options.set);
  const problems = [...file.problems, ...flags.problems];
  if (file.layer === null) throw new ConfigError(inOrderOfPlace(problems));
  const { layers, problems: overlayProblems } = layersOfFile(file.layer, options.environment);
  const { environments } = file.layer.values;
  const variables = environmentLayer(options.env, mergeLayers(layers).values);
  return new Sources(options, {
    file: found?.file ?? null,
    layers: [...layers, variables, flags.layer],
    problems: [...problems, ...overlayProblems],
    environments: isTree(environments) ? Object.keys(environments) : [],
  });
}

interface ReadSources {
  readonly file: string | null;
  readonly environments: readonly string[];
  /** Weak to strong. */
  readonly layers: readonly Layer[];
  readonly problems: readonly Problem[];
}

class Sources implements ConfigSources {
  readonly environments: readonly string[];
  readonly #options: SourceOptions;
  readonly #read: ReadSources;
  readonly #folder: string;
  readonly #context: ReferenceContext;

  constructor(options: SourceOptions, read: ReadSources) {
    this.#options = options;
    this.#read = read;
    this.#folder = read.file === null ? options.cwd : dirname(read.file);
    this.environments = read.environments;
    const { env, runsCommands = true } = options;
    this.#context = { folder: this.#folder, env, runsCommands, known: new Map() };
  }

  async load({ requireApplication, set }: LoadOptions): Promise<LoadedConfig> {
    if (this.#read.file === null && !isNamed(this.#options, set)) throw noConfigFile(this.#folder);
    const merged = this.#merge(setLayer(set).layer);
    const resolved = this.#resolve(merged);
    const checked = checkConfig(resolved.values, this.#checks(resolved, requireApplication));
    this.#refuse(merged, [...resolved.findings, ...checked.errors]);
    const parsed = checked.parsed!;
    return {
      config: resolveConfig(parsed, this.#folder, resolved.secrets),
      file: this.#read.file,
      parsed,
      originOf: merged.originOf,
      secrets: resolved.secrets,
      warnings: checked.warnings.map((finding) => locateFinding(finding, merged.locate)),
    };
  }

  async chooseProvider(): Promise<ProviderChoice> {
    const merged = this.#merge();
    const resolved = this.#resolve(merged, saysWhere); // C3
    const findings = checkChoice(resolved.values, this.#checks(resolved, false));
    // Without a file nobody has said which cluster is meant, and `list` needs none.
    const isFree = (path: Path) => this.#read.file === null && pointer(path) === '/cluster';
    this.#refuse(merged, [...resolved.findings, ...findings.filter(({ path }) => !isFree(path))]);
    return resolveChoice(resolved.values, this.#folder);
  }

  #merge(...own: readonly Layer[]): Merged {
    const { provider } = this.#options;
    const chosen = provider === null ? [] : [simpleLayer({ provider }, '--provider')];
    return mergeLayers([...this.#read.layers, ...own, ...chosen]);
  }

  #resolve({ values }: Merged, isWanted?: (path: Path) => boolean): ResolvedReferences {
    return resolveReferences(withChosenProvider(values, this.#context), this.#context, isWanted);
  }

  #checks({ findings, secrets }: ResolvedReferences, requireApplication: boolean): CheckOptions {
    const failed = new Set(findings.map(({ path }) => pointer(path)));
    return { folder: this.#folder, requireApplication, secrets, failed };
  }

  /** @throws ConfigError when anything is wrong (C2). */
  #refuse({ locate }: Merged, findings: readonly Finding[]): void {
    const all = [...this.#read.problems, ...findings.map((found) => locateFinding(found, locate))];
    if (all.length > 0) throw new ConfigError(inOrderOfPlace(all));
  }
}

const noFile: FileLayer = { layer: mergeLayers([]), problems: [] };

async function locate({ configPath, cwd }: SourceOptions) {
  if (configPath === null) return findConfigFile(cwd);
  return readConfigFile(cwd, configPath).catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === 'ENOENT'
        ? `the config file ${configPath} does not exist`
        : `the config file ${configPath} cannot be read: ${error.message}`;
    throw new ConfigError(problem({ code: 'config-missing', message, file: configPath }));
  });
}

/** Whether variables or flags name a cluster: then they are a configuration without a file. */
const isNamed = ({ env, set }: SourceOptions, own: readonly string[]) =>
  Boolean(env['FCTL_CLUSTER']) || [...set, ...own].some((entry) => entry.startsWith('cluster='));

const noConfigFile = (cwd: string) =>
  new ConfigError(
    problem({
      code: 'config-missing',
      message: `there is no config file in ${cwd} and the folders above`,
      hint: `'fctl init' makes one; looked for ${searchPlaces.join(', ')}`,
    }),
  );

/** The file without what only a file may hold, and the overlay that was chosen from it. */
function layersOfFile(
  file: Layer,
  chosen: string | null,
): { layers: Layer[]; problems: readonly Problem[] } {
  const { environments, $schema: _forEditors, ...more } = file.values;
  // Blocks that are there to be referred to (YAML's anchors), as in Compose.
  const values = Object.fromEntries(Object.entries(more).filter(([key]) => !key.startsWith('x-')));
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
