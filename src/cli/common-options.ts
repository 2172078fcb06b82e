/** The options and arguments that several verbs have, and what they give. Nothing heavy may be imported here. */
import {
  type Argument,
  type Option,
  argument,
  duration,
  flag,
  list,
  oneOf,
  option,
  optionOr,
  text,
} from './options.ts';

/** In which an answer may be printed, beside the text that is the default. */
const forms = ['json', 'yaml', 'wide', 'name'] as const;

export type Options = Readonly<Record<string, Option>>;
/** In the order of the command line. */
export type Arguments = Readonly<Record<string, Argument>>;

/** The values of options, by their names. */
export type OptionValues<T> = {
  readonly [K in keyof T]: T[K] extends Option<infer V>
    ? V
    : T[K] extends Argument<infer V>
      ? V
      : never;
};

/** Options that every verb has. */
export const commonOptions = {
  json: flag('--json', 'Print one JSON document on stdout.'),
  output: option(
    '-o, --output <form>',
    'Print json, yaml or, of a list, wide (with more columns) or name (only the names).',
    oneOf('form', forms),
    forms,
  ),
  quiet: flag('-q, --quiet', 'Print no progress and no messages.'),
  verbose: flag(
    '-v, --verbose',
    'Print each request and each SSH command with its time, and the stack of a failure.',
  ),
  yes: flag('-y, --yes', 'Answer every question with yes.'),
  noInput: flag('--no-input', 'Ask nothing: what would have to be asked is refused.'),
  noColor: flag('--no-color', 'Print no colours. The variable NO_COLOR does the same.'),
  timeout: option('--timeout <duration>', 'Give up after this long, with exit code 124.', text),
} as const satisfies Options;

/** Options that say where clusters are, and how they are configured. */
export const placeOptions = {
  config: option(
    '-c, --config <file>',
    'Read this config file. Without it fctl looks for one in this folder and those above.',
    text,
    'file',
  ),
  configFile: option('-f, --file <file>', 'The same as --config.', text, 'file'),
  env: option(
    '-e, --env <name>',
    "Use this environment: an overlay of the config file's `environments`.",
    text,
    'environment',
  ),
  context: option(
    '--context <name>',
    "Look for clusters where this context says: see 'fctl context add'.",
    text,
    'context',
  ),
  provider: option(
    '--provider <name>',
    "Look for clusters at this provider (local, standalone, docker) instead of the config's.",
    text,
    ['local', 'standalone', 'docker'],
  ),
  set: list('-D, --set <key=value>', 'Set one value of the config. It may be repeated.', text),
} as const satisfies Options;

/** The option of verbs that concern a cluster. */
export const clusterOption = {
  cluster: option(
    '--cluster <id>',
    "Name the cluster. Without it the config's is meant, or that of FCTL_CLUSTER.",
    text,
    'cluster',
  ),
} as const satisfies Options;

/** What every verb was given, of what it has; otherwise as if it was not given. */
export type CommonOptions = OptionValues<typeof commonOptions & typeof placeOptions>;

export const clusterArgument = {
  cluster: argument('[cluster]', "The id of the cluster. Default: the config's.", 'cluster'),
} as const satisfies Arguments;

/**
 * A cluster and one of its processes. In a project the first word may be the process of its cluster:
 * `findTarget` says which it is.
 */
export const processArguments = {
  cluster: argument(
    '[cluster]',
    "The id of the cluster. Default: the config's; then the first word may be the process.",
    'cluster',
  ),
  process: argument('[process]', 'One process, such as taskmanager-0.', 'process'),
} as const satisfies Arguments;

/** Options of the verbs that change the processes of a cluster. */
export const operationOptions = {
  allowStateLoss: flag(
    '--allow-state-loss',
    'Go on although running jobs lose what they have computed so far.',
  ),
  lockWait: optionOr(
    '--lock-wait <duration>',
    'Wait this long for somebody else who changes the cluster (default: 20s).',
    duration,
    20_000,
  ),
  healthTimeout: optionOr(
    '--health-timeout <duration>',
    'Give the cluster this long to become healthy (default: 60s).',
    duration,
    60_000,
  ),
  noHooks: flag('--no-hooks', 'Do not run the scripts in .fctl/hooks.'),
} as const satisfies Options;

export const rollbackOnFailure = {
  rollbackOnFailure: flag(
    '--rollback-on-failure',
    'Deploy the previous stable release again when this one does not become healthy.',
  ),
} as const satisfies Options;

/** The option that names one job of a cluster. */
export const jobOption = {
  job: option(
    '--job <job>',
    'Show this job: its id, the beginning of it, or its name. Default: the only one that runs, or the only one.',
    text,
    'job',
  ),
} as const satisfies Options;
