/**
 * Named places where a user has clusters, for whoever is outside of a project: a file in the user's config
 * folder, which nobody else may read.
 *
 * X1  A context that is named (`--context`, FCTL_CONTEXT) counts everywhere. The current one counts only
 *     where nothing else says where clusters are: no config file, no variable, no option.
 * X2  Options are stronger than the context, one by one.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClusterError, ProviderError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import type { Place } from './place.ts';

export interface NamedContext {
  /** Absolute path of a config file. */
  readonly config: string | null;
  readonly env: string | null;
  readonly provider: string | null;
  /** As of `--set`. */
  readonly set: readonly string[];
}

export interface Contexts {
  /** The one that counts where nothing else does; `null`: none. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

const fileOf = ({ configDir }: Place): string => join(configDir, 'contexts.json');

/** @throws ProviderError when the file is there and cannot be read. */
export async function readContexts(place: Place): Promise<Contexts> {
  const file = fileOf(place);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Contexts;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { current: null, contexts: {} };
    const said = `your contexts cannot be read from ${file}: ${message}`;
    const hint = 'correct or remove that file';
    throw new ProviderError(problem({ code: 'contexts-damaged', message: said, hint }));
  }
}

/** @throws ProviderError when the file cannot be written. */
export async function writeContexts(place: Place, contexts: Contexts): Promise<void> {
  const file = fileOf(place);
  const next = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(next, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
    await rename(next, file);
  } catch (error) {
    const message = `your contexts cannot be written to ${file}: ${(error as Error).message}`;
    throw new ProviderError(problem({ code: 'contexts-not-writable', message }));
  }
}

/** @throws ClusterError (exit 7) when there is none of that name. */
export function contextNamed({ contexts }: Contexts, name: string): NamedContext {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(contexts);
  const hint =
    known.length === 0 ? "'fctl context add' makes one" : `there are ${known.join(', ')}`;
  const message = `there is no context '${name}'`;
  throw new ClusterError(ExitCode.notFound, problem({ code: 'no-such-context', message, hint }));
}
