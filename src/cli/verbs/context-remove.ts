/** `fctl context remove`: forgets a context. */
import type { contextRemove as declaration } from '../commands/context-remove.ts';
import type { Context } from '../context.ts';
import { contextNamed, readContexts, writeContexts } from '../contexts.ts';
import type { Given } from '../verb.ts';

export async function run(
  { place, report }: Context,
  { name }: Given<typeof declaration>,
): Promise<void> {
  const all = await readContexts(place);
  contextNamed(all, name);
  const { [name]: _removed, ...contexts } = all.contexts;
  await writeContexts(place, { current: all.current === name ? null : all.current, contexts });
  report.result({ name }, () => `There is no context ${name} any more.`);
}
