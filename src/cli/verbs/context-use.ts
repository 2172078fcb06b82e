/** `fctl context use`: the context that counts outside of projects. */
import { UsageError, problem } from '../../contract/errors.ts';
import type { contextUse as declaration } from '../commands/context-use.ts';
import type { Context } from '../context.ts';
import { contextNamed, readContexts, writeContexts } from '../contexts.ts';
import type { Given } from '../verb.ts';

export async function run(
  { place, report }: Context,
  { name, none }: Given<typeof declaration>,
): Promise<void> {
  if ((name === null) !== none) {
    const message = 'either a context is used, or --none';
    const hint = "'fctl context list' lists yours";
    throw new UsageError(problem({ code: 'usage', message, hint }));
  }
  const all = await readContexts(place);
  if (name !== null) contextNamed(all, name);
  await writeContexts(place, { ...all, current: name });
  report.result({ current: name }, () =>
    name === null
      ? 'Outside of projects local clusters are meant.'
      : `Outside of projects the clusters of ${name} are meant.`,
  );
}
