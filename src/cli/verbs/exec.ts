/** `fctl exec`: a command where a process of a cluster runs, with its environment. */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { UsageError, problem } from '../../contract/errors.ts';
import type { Redactor } from '../../contract/secrets.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { exec as declaration } from '../commands/exec.ts';
import type { Context } from '../context.ts';
import { findTarget, isProcessName } from '../target.ts';
import type { Given } from '../verb.ts';

/** Hands on to a stream what it gets, without secrets. It is ended, the stream is not. */
function masked(redactor: Redactor, output: NodeJS.WriteStream): Writable {
  const stream = redactor.stream();
  // Whoever read it may be gone: that is for the stream to say.
  const write = (bytes: Buffer, done: () => void) =>
    bytes.length === 0 ? done() : output.write(bytes, () => done());
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => void write(stream.write(chunk), done),
    final: (done) => void write(stream.end(), done),
  });
}

/** For one JSON document at the end, in which what was printed is text. */
function collecting(into: { stdout: string; stderr: string }, name: 'stdout' | 'stderr'): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      into[name] += String(chunk);
      done();
    },
  });
}

export async function run(context: Context, given: Given<typeof declaration>): Promise<number> {
  const { command, ...words } = splitWords(given);
  const { clusterId, process: name } = await findTarget(context, words);
  if (name === null || command.length === 0) {
    throw new UsageError(
      problem({
        code: 'command-missing',
        message: `exec needs a process${command.length === 0 ? ' and a command' : ''}`,
        hint: 'for example: fctl exec flights taskmanager-0 -- ls -l',
      }),
    );
  }
  await context.configOf(clusterId); // so that its secrets are known, and masked
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  if (provider.exec === undefined) {
    const message = `provider ${provider.name} cannot run commands in processes`;
    throw new UsageError(problem({ code: 'not-supported', message }));
  }
  const { stdin } = process;
  const { redactor } = context.report;
  const collected = { stdout: '', stderr: '' };
  const streams = context.options.json
    ? { stdout: collecting(collected, 'stdout'), stderr: collecting(collected, 'stderr') }
    : { stdout: masked(redactor, process.stdout), stderr: masked(redactor, process.stderr) };
  try {
    const exitCode = await provider.exec(clusterId, name, command, {
      stdin: stdin.isTTY ? null : stdin,
      ...streams,
      signal: context.signal,
    });
    if (context.options.json) context.report.result({ exitCode, ...collected }, () => '');
    return exitCode;
  } finally {
    await Promise.all(Object.values(streams).map(end));
    if (!stdin.isTTY) stdin.destroy(); // It may stay open for longer than the command ran.
  }
}

/** The cluster, the process and the command, which may stand there without `--`, too. */
function splitWords({ behind, cluster, words }: Given<typeof declaration>) {
  const [first = null, second = null] = words;
  if (behind === null && first !== null) {
    const isAlone = cluster !== null || isProcessName(first);
    const command = words.slice(isAlone ? 1 : 2);
    if (cluster !== null) return { cluster, process: first, command };
    return { cluster: first, process: isAlone ? null : second, command };
  }
  const named = cluster === null ? words : [cluster, ...words];
  if (named.length > 2) {
    const message = `'${named[2]}' is neither the cluster, nor the process, nor behind --`;
    throw new UsageError(problem({ code: 'usage', message }));
  }
  return { cluster: named[0] ?? null, process: named[1] ?? null, command: behind ?? [] };
}

async function end(stream: Writable): Promise<void> {
  stream.end();
  await finished(stream);
}
