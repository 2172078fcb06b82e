/** The version of a Node.js executable. */
import { NODE_VERSION, pinnedNodes } from './target-node.ts';

/**
 * @param sha256 of the file.
 * @returns `24.21.0`; `unknown` when it does not run here: it may be for another platform.
 */
export async function nodeVersionOf(
  file: string,
  sha256: string,
  signal: AbortSignal,
): Promise<string> {
  if (Object.values(pinnedNodes).some((pinned) => pinned.sha256 === sha256)) return NODE_VERSION;
  const { execa } = await import('execa');
  const { failed, stdout } = await execa(file, ['--version'], {
    env: {},
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: 10_000,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  return (failed ? null : /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]) ?? 'unknown';
}
