/** docs/configuration.md, made from the schema. */
import { searchPlaces } from './find.ts';
import { type SchemaNode, rootNode } from './json-schema.ts';

export function configurationReference(): string {
  const rows = keysOf(rootNode(), []).map(({ path, node }) => {
    const variable = `FCTL_${path.map((p) => p.replaceAll(/([A-Z])/g, '_$1').toUpperCase()).join('__')}`;
    const fallback = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
    return `| \`${path.join('.')}\` | ${describeNode(node)} | ${fallback} | \`${variable}\` | ${node.description ?? ''} |`;
  });
  return [
    '# Configuration',
    '',
    'Generated from the schema (`npm run docs`). `fctl config schema` prints it as JSON Schema for editors.',
    '',
    '## Where it comes from',
    '',
    `The first of these files in the current folder or one above, up to the project's root: ${searchPlaces.map((p) => `\`${p}\``).join(', ')} (key \`fctl\`). \`--config FILE\` names one.`,
    '',
    'Precedence, strongest first:',
    '',
    '1. `--set key=value` (`-D`), values as in YAML: `--set taskmanager.slots=2`',
    '2. environment variables: `FCTL_TASKMANAGER__SLOTS=2`; two underscores go a level down',
    '3. the overlay that `--env NAME` chooses from `environments`',
    '4. the file',
    '5. the default',
    '',
    'Objects are merged key by key; lists and other values replace. `fctl config show --origin` tells of each value where it came from.',
    '',
    '`${env:NAME}`, `${file:path}` and `${exec:command}` in strings are replaced last. What they become is a secret: it is masked wherever the configuration is shown.',
    '',
    'All problems are reported in one run, each with file, line and column; the exit code is 3.',
    '',
    '## Keys',
    '',
    '| key | type | default | variable | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

interface Key {
  readonly path: readonly string[];
  readonly node: SchemaNode;
}

function keysOf(node: SchemaNode, path: readonly string[]): Key[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) =>
    inner.properties ? keysOf(inner, [...path, name]) : [{ path: [...path, name], node: inner }],
  );
}

function describeNode(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  return node.type ?? 'any';
}
