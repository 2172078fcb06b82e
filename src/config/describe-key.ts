/** What a key of the config is, in words: for the reference and for `fctl explain`. */
import type { Key, SchemaNode } from './json-schema.ts';

/** Marks what is to be typed as it is: with backticks in Markdown. */
type Quote = (text: string) => string;

/** `whole number`, `text like 512MiB`, or the values that there are. */
export function typeOf(node: SchemaNode, quote: Quote): string {
  if (node.enum) return node.enum.map((value) => quote(value)).join(', ');
  const [example] = node.examples ?? [];
  const types: Readonly<Record<string, string>> = {
    array: 'list',
    integer: 'whole number',
    string: 'text',
    boolean: `${quote('true')}, ${quote('false')}`,
  };
  const name = types[node.type ?? ''] ?? node.type ?? 'any';
  return example === undefined ? name : `${name} like ${quote(example)}`;
}

/** The value where none is given; empty: there is none. */
export function defaultOf({ isRequired, node }: Key, quote: Quote): string {
  if (isRequired) return 'required';
  return node.default === undefined ? '' : quote(JSON.stringify(node.default));
}

/** `FCTL_TASKMANAGER__SLOT_REQUEST_TIMEOUT` */
export const variableOf = (path: readonly string[]): string =>
  `FCTL_${path.map((part) => part.replaceAll(/([A-Z])/g, '_$1').toUpperCase()).join('__')}`;
