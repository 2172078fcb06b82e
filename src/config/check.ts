/** Everything that is wrong with a merged configuration, each with its place. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type Problem, problem } from '../contract/errors.ts';
import { type SchemaNode, rootNode } from './json-schema.ts';
import { type Merged, type Path, type Tree, pointer } from './layer.ts';
import { type ParsedConfig, configSchema } from './schema.ts';

export interface Checked {
  readonly parsed: ParsedConfig | null;
  readonly problems: readonly Problem[];
}

type At = (
  path: Path,
  fields: Pick<Problem, 'code' | 'message'> & { hint?: string | null },
) => Problem;

/** @param folder that relative paths are relative to. */
export function checkConfig(
  { originOf }: Pick<Merged, 'originOf'>,
  values: Tree,
  options: { folder: string; requireApplication: boolean },
): Checked {
  const at: At = (path, fields) => {
    const { file, line, column, text } = originOf(path);
    // A variable or a flag has no position: the message names it.
    const from = file === null && text !== 'default' ? ` (from ${text})` : '';
    const shown = path.filter((part) => part !== '#key');
    return problem({
      ...fields,
      message: fields.message + from,
      path: pointer(shown),
      file,
      line,
      column,
    });
  };
  const result = configSchema.safeParse(values, { reportInput: true });
  const problems = result.success ? [] : result.error.issues.flatMap((issue) => explain(issue, at));
  problems.push(...checkSupported(values, at), ...checkApplication(values, options, at));
  return { parsed: result.success ? result.data : null, problems };
}

function nodeAt(path: Path): SchemaNode {
  let node = rootNode();
  for (const part of path) node = node.properties?.[String(part)] ?? {};
  return node;
}

function explain(issue: z.core.$ZodIssue, at: At): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(nodeAt(path).properties ?? {});
    return issue.keys.map((key) =>
      at([...path, key, '#key'], {
        code: 'unknown-key',
        message: `unknown key '${key}'`,
        hint: didYouMean(key, known),
      }),
    );
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  if (missing) {
    const message = `'${path.join('.')}' is missing`;
    return [at(path, { code: 'missing', message, hint: nodeAt(path).description ?? null })];
  }
  const given = issue.input === undefined ? '' : `, not ${JSON.stringify(issue.input)}`;
  const message = `${expectation(issue)}${given}`;
  return [at(path, { code: 'invalid-value', message, hint: nodeAt(path).description ?? null })];
}

/** What the value must be. */
function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be ${issue.values
        .map(String)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`;
    case 'too_small':
      return `must be ${issue.inclusive ? 'at least' : 'above'} ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

function didYouMean(key: string, known: readonly string[]): string {
  const [closest] = known.toSorted((a, b) => distance(a, key) - distance(b, key));
  if (closest !== undefined && distance(closest, key) <= Math.max(2, key.length / 3)) {
    return `did you mean '${closest}'?`;
  }
  return `known keys are ${known.join(', ')}`;
}

/** What is in the design of the configuration and not in this version. */
const notYet: readonly {
  readonly key: string;
  readonly values: readonly string[];
  readonly instead: string;
}[] = [
  { key: 'provider', values: ['standalone', 'docker', 'kubernetes', 'yarn'], instead: 'local' },
  { key: 'engine', values: ['flink'], instead: 'bundled' },
  { key: 'mode', values: ['per-job', 'session'], instead: 'application' },
];

function checkSupported(values: Tree, at: At): Problem[] {
  return notYet.flatMap(({ key, values: missing, instead }) => {
    const value = values[key];
    if (typeof value !== 'string' || !missing.includes(value)) return [];
    const message = `this version of fctl has no ${key} '${value}' yet`;
    return [at([key], { code: 'not-supported-yet', message, hint: `use '${instead}'` })];
  });
}

/** Apart from the schema, so that one wrong field does not hide a missing file. */
function checkApplication(
  values: Tree,
  options: { folder: string; requireApplication: boolean },
  at: At,
): Problem[] {
  const { application } = values;
  // Verbs that only look at clusters need no application.
  if (!options.requireApplication) return [];
  if (application === undefined) {
    const hint = 'add application.entry, the file that defines the jobs';
    return [at(['application'], { code: 'missing', message: "'application' is missing", hint })];
  }
  const entry = (application as { entry?: unknown } | null)?.entry;
  if (typeof entry !== 'string' || existsSync(resolve(options.folder, entry))) return [];
  return [
    at(['application', 'entry'], {
      code: 'entry-missing',
      message: `the entry file ${resolve(options.folder, entry)} does not exist`,
      hint: 'the path is relative to the config file',
    }),
  ];
}
