/** `fctl context list`: the user's contexts. */
import type { Context } from '../context.ts';
import { readContexts } from '../contexts.ts';
import { table } from '../output/table.ts';

export async function run({ place, report }: Context): Promise<void> {
  const { contexts: all, current } = await readContexts(place);
  const contexts = Object.entries(all)
    .map(([name, context]) => ({ name, isCurrent: name === current, ...context }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = contexts.map((c) => [
    c.isCurrent ? '*' : '',
    c.name,
    c.provider ?? '',
    c.env ?? '',
    c.config ?? '',
    c.set.join(' '),
  ]);
  report.listing(
    { current, contexts },
    {
      names: () => contexts.map(({ name }) => name),
      table: (isWide) =>
        contexts.length === 0
          ? "There are no contexts. 'fctl context add' makes one."
          : table(['', 'CONTEXT', 'PROVIDER', 'ENVIRONMENT', 'CONFIG', 'SET'], rows, {
              ...(isWide && { width: null }),
            }),
    },
  );
}
