/** `fctl explain`: what keys of the config mean. */
import { defaultOf, typeOf, variableOf } from '../../config/describe-key.ts';
import { type Key, keysOf } from '../../config/json-schema.ts';
import { closest } from '../../config/suggest.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { explain as declaration } from '../commands/explain.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import { table } from '../output/table.ts';
import type { Given } from '../verb.ts';

export async function run(
  { report }: Context,
  { key: wanted }: Given<typeof declaration>,
): Promise<void> {
  const all = keysOf().filter(({ path }) => path[0] !== '$schema');
  const found = wanted === null ? all : all.filter(({ path }) => isBelow(path, wanted));
  if (found.length === 0) throw unknownKey(wanted!, all);
  const keys = found.map(told);
  const only = keys.length === 1 && keys[0]!.key === wanted ? keys[0]! : null;
  report.listing(
    { keys },
    {
      names: () => keys.map(({ key }) => key),
      table: (isWide) => {
        if (only !== null) return describe(only);
        const rows = keys.map(({ description, fallback, key, type, variable }) => [
          key,
          type,
          ...(isWide ? [fallback, variable ?? ''] : []),
          description,
        ]);
        const titles = ['KEY', 'TYPE', ...(isWide ? ['DEFAULT', 'VARIABLE'] : []), 'MEANING'];
        return table(titles, rows, isWide ? { width: null } : {});
      },
    },
  );
}

/** Whether a path is that key, or below it. */
const isBelow = (path: readonly string[], key: string) =>
  path.join('.') === key || path.join('.').startsWith(`${key}.`);

const plain = (text: string) => text;

const told = ({ isRequired, node, path }: Key) => ({
  key: path.join('.'),
  type: typeOf(node, plain),
  isRequired,
  fallback: defaultOf({ isRequired, node, path }, plain),
  variable: path[0] === 'environments' ? null : variableOf(path),
  description: node.description ?? '',
});

function describe({ description, fallback, key, type, variable }: ReturnType<typeof told>): string {
  const facts = [
    ['type', type],
    ['default', fallback === '' ? 'none' : fallback],
    ...(variable === null ? [] : [['variable', variable]]),
  ];
  const lines = facts.map(([name, value]) => `  ${out.dim(name!.padEnd(10))}${value}`);
  return [out.bold(key), `  ${description}`, ...lines].join('\n');
}

function unknownKey(wanted: string, all: readonly Key[]): ClusterError {
  const near = closest(
    wanted,
    all.map(({ path }) => path.join('.')),
  );
  return new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-key',
      message: `the config has no key '${wanted}'`,
      hint: near === null ? "'fctl explain -o name' lists all keys" : `did you mean '${near}'?`,
    }),
  );
}
