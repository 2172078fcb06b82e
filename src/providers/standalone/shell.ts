/** Commands for the POSIX shell of a host; used only until a Node.js of ours is there. */
import type { CommandResult, SshConnection } from './ssh/connection.ts';

/** One word, whatever is in it. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A script for `sh`, whatever the user's login shell is. */
export const script = (text: string): string => `exec sh -c ${quote(text)}`;

/** Begins what a command of ours prints. Before it a shell may greet whoever logs in. */
const mark = 'fctl-output:';

/** A script for `sh` whose output begins with a mark, for `runMarked`. */
const marked = (text: string): string => script(`echo ${mark}\n${text}`);

export interface MarkedResult extends CommandResult {
  /** What the host printed before the command; empty: nothing. */
  readonly greeting: string;
}

/**
 * Runs a script to its end. `stdout` is what the script printed, without what the host greets with.
 * @throws ConnectionLostError.
 */
export async function runMarked(
  connection: SshConnection,
  text: string,
  options: { signal?: AbortSignal } = {},
): Promise<MarkedResult> {
  const result = await connection.run(marked(text), options);
  const begin = result.stdout.indexOf(`${mark}\n`);
  if (begin < 0) return { ...result, greeting: result.stdout.trim(), stdout: '' };
  return {
    ...result,
    greeting: result.stdout.slice(0, begin).trim(),
    stdout: result.stdout.slice(begin + mark.length + 1),
  };
}

/** A folder on the host as a word of the shell: `~/` is the user's home there. */
export function folderWord(dir: string): string {
  if (dir === '~') return '"$HOME"';
  return dir.startsWith('~/') ? `"$HOME"/${quote(dir.slice(2))}` : quote(dir);
}
