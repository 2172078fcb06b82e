/**
 * Sends a file to a host: `DIR/uploads/NAME`.
 *
 * B1  What is there of an interrupted upload is continued: the name holds the content's hash, so that it
 *     is always the beginning of the same bytes. Whoever takes the file in place verifies its hash, and
 *     removes it when it is wrong; the next attempt then begins anew.
 * B2  Bytes are appended where the sender thinks that they end, and nowhere else: the host says how many
 *     are there, and of two senders at once one fails.
 */
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { ProviderError, problem } from '../../contract/errors.ts';
import { formatBytes } from '../../contract/units.ts';
import type { SshConnection } from './ssh/connection.ts';
import { folderWord, quote, script } from './shell.ts';

export interface Upload {
  /** On this machine. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Below `uploads/`; holds the hash of the content. */
  readonly name: string;
}

export interface UploadOptions {
  readonly dir: string;
  /** Names the host in errors. */
  readonly where: string;
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
}

/** @returns how many bytes were sent. @throws ProviderError `disk-full`, `upload-failed`; ConnectionLostError. */
export async function upload(
  connection: SshConnection,
  { file, name, sizeBytes }: Upload,
  { dir, onSent, signal, where }: UploadOptions,
): Promise<number> {
  const uploads = `${folderWord(dir)}/uploads`;
  const path = `${uploads}/${quote(name)}`;
  const prepare = `umask 077; mkdir -p ${uploads} && touch ${path} && wc -c <${path}`;
  const before = await connection.run(script(prepare), { signal });
  if (before.code !== 0) throw failed(where, dir, before.stderr);
  const there = Number(before.stdout.trim());
  const start = there <= sizeBytes ? there : 0;
  if (start === sizeBytes && there === start) return 0;
  const target = start === 0 ? `>${path}` : `>>${path}`;
  const unlocked = `[ "$(wc -c <${path})" -eq ${there} ] && cat ${target}`;
  const locked = `if command -v flock >/dev/null; then flock -n 9 || exit 75; fi; ${unlocked}`;
  const { channel, ended } = await connection.start(script(`{ ${locked}; } 9>>${path}.lock`));
  const errors: Buffer[] = [];
  channel.resume();
  channel.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  let sent = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onSent(start + sent);
      done(null, chunk);
    },
  });
  const source = await open(file);
  try {
    const bytes = source.createReadStream({ start, highWaterMark: 256 * 1024 });
    // A disk that is full ends the command first; its exit code says more than the broken pipe.
    const piped = pipeline(bytes, counting, channel, { signal }).catch(() => undefined);
    const code = await ended;
    await piped;
    signal.throwIfAborted();
    if (code === 75) throw busy(where);
    if (code !== 0) throw failed(where, dir, Buffer.concat(errors).toString('utf8'));
  } finally {
    channel.close();
    await source.close();
    await connection.run(script(`rm -f ${path}.lock`)).catch(() => undefined);
  }
  return sent;
}

function busy(where: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'upload-busy',
      message: `somebody else sends the same to ${where} now`,
      hint: 'repeat the command when they are done',
    }),
  );
}

/** Says what a shell said. */
export function failed(where: string, dir: string, stderr: string): ProviderError {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const full = /no space|quota/i.test(said);
  return new ProviderError(
    problem({
      code: full ? 'disk-full' : 'upload-failed',
      message: full
        ? `the disk of ${where} is full: ${dir} takes no more`
        : `${dir} on ${where} cannot be written: ${said || 'no reason given'}`,
      hint: full
        ? `free at least ${formatBytes(512 * 1024 * 1024)}, or set providers.standalone.dir to a folder on another disk`
        : 'set providers.standalone.dir to a folder that the user may write',
    }),
  );
}
