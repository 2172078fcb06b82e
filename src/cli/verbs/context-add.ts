/** `fctl context add`: names a place where the user has clusters. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { UsageError, problem } from '../../contract/errors.ts';
import type { contextAdd as declaration } from '../commands/context-add.ts';
import type { Context } from '../context.ts';
import { readContexts, writeContexts } from '../contexts.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { config, configFile, context: based, env, name, provider, set }: Given<typeof declaration>,
): Promise<void> {
  const { place, report } = context;
  if (based !== null) throw wrong('a context cannot be made of another one', 'leave out --context');
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    throw wrong(`'${name}' is no name of a context`, 'begin with a letter or a digit');
  }
  const file = config ?? configFile;
  if (file === null && provider === null && set.length === 0) {
    throw wrong('nothing says where its clusters are', 'give --config, --provider or --set');
  }
  await context.provider(); // which finds what is wrong with all of it
  const added = {
    config: file === null ? null : resolve(place.cwd, file.replace(/^~(?=\/)/, homedir())),
    env,
    provider,
    set,
  };
  const { contexts, current } = await readContexts(place);
  await writeContexts(place, { current, contexts: { ...contexts, [name]: added } });
  report.result({ name, ...added }, () => `'fctl list --context ${name}' lists its clusters.`);
}

const wrong = (message: string, hint: string) =>
  new UsageError(problem({ code: 'not-a-context', message, hint }));
