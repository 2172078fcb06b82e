/**
 * Sends a file to a host: `DIR/uploads/NAME`.
 *
 * B1  What is there of an interrupted upload is continued: the name holds the content's hash, so that it
 *     is always the beginning of the same bytes. Whoever takes the file in place verifies its hash, and
 *     removes it when it is wrong; the next attempt then begins anew.
 * B2  Bytes are appended where the sender thinks that they end, and nowhere else, by one sender at a time:
 *     the file itself is locked. Others wait until it is done, or go on where it ended.
 * B3  A sender that gets no further (its connection is dead, which the host does not know) loses the name:
 *     what it still writes goes nowhere.
 */
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ProviderError, problem } from '../../contract/errors.ts';
import { formatBytes } from '../../contract/units.ts';
import type { SshConnection } from './ssh/connection.ts';
import { folderWord, quote, runMarked, script } from './shell.ts';

/** How often it is looked at whether another sender is done, and how long it may stand still (B3). */
const lookMs = 500;
const stalledMs = 30_000;
/** Exit codes of the commands: what is wanted is there already; somebody else sends. */
const isThereCode = 74;
const busyCode = 75;

export interface Upload {
  /** On this machine. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Below `uploads/`; holds the hash of the content. */
  readonly name: string;
  /** A command of sh that succeeds where nothing has to be sent. */
  readonly unless: string;
}

export interface UploadOptions {
  readonly dir: string;
  /** Names the host in errors. */
  readonly where: string;
  readonly signal: AbortSignal;
  /** @param byOther somebody else sends it now. */
  readonly onSent: (bytes: number, byOther: boolean) => void;
}

/**
 * @returns how many bytes were sent; `null`: nothing had to be.
 * @throws ProviderError `disk-full`, `upload-failed`; ConnectionLostError.
 */
export async function upload(
  connection: SshConnection,
  { file, name, sizeBytes, unless }: Upload,
  options: UploadOptions,
): Promise<number | null> {
  const { dir, onSent, signal, where } = options;
  const uploads = `${folderWord(dir)}/uploads`;
  const path = `${uploads}/${quote(name)}`;
  const prepare = `umask 077; ${unless} && exit ${isThereCode}; mkdir -p ${uploads} && touch ${path} && wc -c <${path}`;
  let seen = { bytes: -1, since: 0 };
  for (;;) {
    const before = await runMarked(connection, prepare, { signal });
    if (before.code === isThereCode) return null;
    if (before.code !== 0) throw failed(where, dir, before.stderr);
    if (!/^\s*\d+\s*$/.test(before.stdout))
      throw failed(where, dir, `'wc -c' says '${(before.stdout || before.greeting).trim()}'`);
    const there = Number(before.stdout);
    if (there === sizeBytes) return 0;
    const sent = await append(connection, { file, path, sizeBytes, there }, options);
    if (sent !== null) return sent;
    onSent(there, true);
    const now = performance.now();
    if (there !== seen.bytes) seen = { bytes: there, since: now };
    if (now - seen.since > stalledMs) await connection.run(script(`rm -f ${path}`), { signal }); // B3
    await delay(lookMs, undefined, { signal });
  }
}

interface Rest {
  readonly file: string;
  /** A word of the shell. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly there: number;
}

/** B2. @returns how many bytes were sent; `null`: somebody else sends. */
async function append(
  connection: SshConnection,
  { file, path, sizeBytes, there }: Rest,
  { dir, onSent, signal, where }: UploadOptions,
): Promise<number | null> {
  const start = there <= sizeBytes ? there : 0;
  const steps = [
    `if command -v flock >/dev/null; then flock -n 9 || exit ${busyCode}; fi`,
    `[ "$(wc -c <${path})" -eq ${there} ] || exit ${busyCode}`,
    ...(start < there ? [`: >${path}`] : []),
    'cat >&9',
  ];
  const { channel, ended } = await connection.start(script(`{ ${steps.join('; ')}; } 9>>${path}`));
  const errors: Buffer[] = [];
  channel.resume();
  channel.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  let sent = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onSent(start + sent, false);
      done(null, chunk);
    },
  });
  const source = await open(file);
  try {
    const bytes = source.createReadStream({ start, highWaterMark: 256 * 1024 });
    // What ends the command before the file (a disk that is full, another sender) says more than the broken
    // pipe, which may wait for ever.
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const piped = pipeline(bytes, counting, channel, { signal: until }).catch(() => undefined);
    const code = await ended.finally(() => over.abort());
    await piped;
    signal.throwIfAborted();
    if (code === busyCode) return null;
    if (code !== 0) throw failed(where, dir, Buffer.concat(errors).toString('utf8'));
  } finally {
    channel.close();
    await source.close();
  }
  return sent;
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
