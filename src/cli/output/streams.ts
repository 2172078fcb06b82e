/**
 * What happens when stdout or stderr can take no more.
 *
 * S1  Whoever read the results has gone (`fctl logs -f | head`): the command ends, and says nothing.
 * S2  The results cannot be written, as on a full disk: the command ends and says so. A script must not take what
 *     was written for all of it.
 * S3  Nobody can be told what stderr cannot take. The command goes on: its results are as good as before.
 */
import { ExitCode } from '../../contract/exit-codes.ts';

/** @param exit ends this process; without a code, with the one that the command has by then. */
export function watchStreams(
  { stderr, stdout }: Pick<NodeJS.Process, 'stderr' | 'stdout'>,
  exit: (code?: number) => void,
): void {
  stdout.once('error', ({ code, message }: NodeJS.ErrnoException) => {
    stdout.on('error', () => {}); // one is enough
    if (code === 'EPIPE') return setImmediate(() => exit()); // S1
    stderr.write(`error the results could not be written to stdout: ${message}\n`);
    return setImmediate(() => exit(ExitCode.outputNotWritable)); // S2
  });
  stderr.on('error', () => {}); // S3
}
