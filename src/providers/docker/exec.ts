/** Runs a command of a user in a container, its streams connected. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { UsageError, problem } from '../../contract/errors.ts';
import type { ExecStreams } from '../provider.ts';
import type { EngineClient } from './client.ts';
import { readFrames } from './frames.ts';

/** Marks the processes of one command, so that they can be found and ended. */
const markName = 'FCTL_EXEC';
const pollMs = 50;
/** How the engine says, where the command's output would be, that it could not start it. */
const refusal = 'OCI runtime exec failed';

/**
 * @returns the command's exit code.
 * @throws UsageError when it cannot be started; EngineError 409 when the container does not run.
 */
export async function execIn(
  engine: EngineClient,
  container: string,
  command: readonly string[],
  { node, io }: { node: string; io: ExecStreams },
): Promise<number> {
  io.signal.throwIfAborted();
  const mark = randomBytes(8).toString('hex');
  const exec = await engine.ask(
    (docker) =>
      docker.getContainer(container).exec({
        Cmd: [...command],
        Env: [`${markName}=${mark}`],
        AttachStdin: io.stdin !== null,
        AttachStdout: true,
        AttachStderr: true,
      }),
    { repeatable: false },
  );
  const stream = (await engine.ask(() => exec.start({ hijack: true, stdin: io.stdin !== null }), {
    repeatable: false,
  })) as Duplex;
  const kill = () => void endMarked(engine, container, node, mark).catch(() => stream.destroy());
  io.signal.addEventListener('abort', kill, { once: true });
  let complaint = '';
  try {
    stream.on('error', () => {}); // its end is what counts; the exit code is asked for
    io.stdin?.pipe(stream);
    for await (const { bytes, kind } of readFrames(stream)) {
      if (bytes.toString('latin1', 0, refusal.length) === refusal) complaint = bytes.toString();
      else await write(kind === 'stderr' ? io.stderr : io.stdout, bytes);
    }
  } catch (error) {
    io.signal.throwIfAborted();
    throw error;
  } finally {
    io.signal.removeEventListener('abort', kill);
    io.stdin?.unpipe(stream);
  }
  io.signal.throwIfAborted();
  const code = await exitCodeOf(engine, exec);
  if ((code === 126 || code === 127) && complaint !== '') {
    const message = `${command[0]} could not be started: ${complaint.trim()}`;
    throw new UsageError(problem({ code: 'command-not-started', message }));
  }
  return code;
}

async function write(output: Writable, bytes: Buffer): Promise<void> {
  if (!output.write(bytes)) await once(output, 'drain');
}

async function exitCodeOf(
  engine: EngineClient,
  exec: { inspect(): Promise<{ ExitCode: number | null; Running: boolean }> },
): Promise<number> {
  for (;;) {
    const { ExitCode, Running } = await engine.ask(() => exec.inspect());
    if (!Running && ExitCode !== null) return ExitCode;
    await delay(pollMs); // its output has ended, it has not yet
  }
}

/** The engine cannot end a command; whoever runs beside it can. */
async function endMarked(engine: EngineClient, container: string, node: string, mark: string) {
  const script = `
    const fs = require('node:fs');
    for (const pid of fs.readdirSync('/proc')) {
      if (!/^[0-9]+$/.test(pid) || Number(pid) === process.pid) continue;
      try {
        const all = fs.readFileSync('/proc/' + pid + '/environ', 'utf8').split('\\0');
        if (all.includes('${markName}=${mark}')) process.kill(Number(pid), 'SIGKILL');
      } catch {}
    }`;
  const exec = await engine.ask(
    (docker) => docker.getContainer(container).exec({ Cmd: [node, '-e', script] }),
    { repeatable: false },
  );
  await engine.ask(() => exec.start({ Detach: true } as object), { repeatable: false });
}
