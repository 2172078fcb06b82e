/** `fctl exec`: a command where a process of a cluster runs, with its environment. */
import { UsageError, problem } from '../../contract/errors.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { Context } from '../context.ts';

export async function run(
  context: Context,
  clusterId: string | undefined,
  process_: string | undefined,
  ...command: readonly (string | undefined)[]
): Promise<number> {
  const words = command.filter((word) => word !== undefined);
  if (clusterId === undefined || process_ === undefined || words.length === 0) {
    throw new UsageError(
      problem({
        code: 'command-missing',
        message: 'exec needs a cluster, a process and a command',
        hint: 'for example: fctl exec flights taskmanager-0 -- ls -l',
      }),
    );
  }
  const provider = await context.provider();
  if ((await provider.inspect(clusterId)) === null) throw noSuchCluster(clusterId);
  const { stderr, stdin, stdout } = process;
  try {
    return await provider.exec(clusterId, process_, words, {
      stdin: stdin.isTTY ? null : stdin,
      stdout,
      stderr,
      signal: context.signal,
    });
  } finally {
    if (!stdin.isTTY) stdin.destroy(); // It may stay open for longer than the command ran.
  }
}
