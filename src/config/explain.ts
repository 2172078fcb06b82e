/** What the schema finds, in words for people. */
import type { z } from 'zod';
import type { Finding } from './finding.ts';
import { type SchemaNode, nodeAt } from './json-schema.ts';
import type { Path } from './layer.ts';
import { closest, suggestKey } from './suggest.ts';

/** @param isSecret whether the value at a path must not be told. */
export function explainIssue(
  issue: z.core.$ZodIssue,
  isSecret: (path: Path) => boolean,
  within: Path = [],
): Finding[] {
  const path = [...within, ...(issue.path as Path)];
  const node = nodeAt(path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'unknown-key',
      message: `unknown key '${key}'`,
      path: [...path, key],
      part: 'key',
      hint: suggestKey(key, Object.keys(node.properties ?? {})),
    }));
  }
  const common = { path, part: 'value', hint: hintOf(node) } as const;
  const isTyped = issue.code === 'invalid_type' || issue.code === 'invalid_value';
  if (isTyped && issue.input === undefined) {
    return [{ ...common, code: 'missing', message: `'${path.join('.')}' is missing` }];
  }
  if (issue.input === null) {
    const message = `'${path.join('.')}' is empty: give it a value or remove it`;
    return [{ ...common, code: 'invalid-value', message }];
  }
  const given = isSecret(path) ? '' : `, not ${shown(issue.input)}`;
  const near =
    issue.code === 'invalid_value' && typeof issue.input === 'string' && !isSecret(path)
      ? closest(issue.input, issue.values.map(String))
      : null;
  return [
    {
      ...common,
      code: 'invalid-value',
      message: `${expectation(issue, node)}${given}`,
      hint: near === null ? (asList(issue) ?? common.hint) : `did you mean '${near}'?`,
    },
  ];
}

function hintOf({ description, examples }: SchemaNode): string | null {
  if (description === undefined) return null;
  return examples ? `${description} For example ${examples.join(', ')}.` : description;
}

/** How a list is written that was given as text. */
function asList(issue: z.core.$ZodIssue): string | null {
  const isText = typeof issue.input === 'string' && issue.input !== '';
  if (issue.code !== 'invalid_type' || issue.expected !== 'array' || !isText) return null;
  const parts = (issue.input as string).split(',').map((part) => part.trim());
  return `write [${parts.join(', ')}]`;
}

/** Objects and lists may hold anything, secrets too. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return String(value);
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

/** What the value must be. */
function expectation(issue: z.core.$ZodIssue, node: SchemaNode): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[node.type === 'integer' ? 'int' : issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.slice(0, -1).map(String).join(', ')} or ${String(issue.values.at(-1))}`;
    case 'invalid_union':
      return 'must be text, a number, true, false, null, a list or an object';
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return `must be ${issue.inclusive ? 'at least' : 'above'} ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}
