/** Runs a command of a user on this machine, its streams connected. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { UsageError, problem } from '../../contract/errors.ts';
import type { ExecStreams } from '../provider.ts';

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: ExecStreams;
}

/**
 * @returns its exit code; 128 and the signal's number when a signal ended it.
 * @throws UsageError when it cannot be started.
 */
export async function runCommand(
  [file, ...args]: readonly string[],
  { cwd, env, io }: CommandOptions,
): Promise<number> {
  const child = spawn(file!, args, { cwd, env: { ...env }, signal: io.signal });
  child.stdout.pipe(io.stdout, { end: false });
  child.stderr.pipe(io.stderr, { end: false });
  child.stdin.on('error', () => {}); // It need not read what it is given.
  if (io.stdin === null) child.stdin.end();
  else io.stdin.pipe(child.stdin);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } catch (error) {
    io.signal.throwIfAborted();
    const message = `${file} could not be started: ${(error as Error).message}`;
    throw new UsageError(problem({ code: 'command-not-started', message }), { cause: error });
  } finally {
    if (io.stdin !== null) io.stdin.unpipe(child.stdin);
  }
}
