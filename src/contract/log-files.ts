/**
 * Reads rotated log files: `NAME.log.2`, `NAME.log.1`, `NAME.log` from old to new. Whoever writes them
 * rotates by copying `NAME.log` to `NAME.log.1` and truncating it.
 *
 * G1  What is read belongs to one moment between two rotations: a rotation that was noticed on the way
 *     is waited for, and what was read is read again.
 * G2  Who follows sees every line once, also those written between its last look and a rotation: they
 *     stand in the copy. Only what was rotated away altogether is lost.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** How much of a log is read. */
export interface LogFileOptions {
  readonly follow: boolean;
  /** Only the last so many lines; `null`: all. */
  readonly tail: number | null;
  /** Only the current file, none of the rotated ones. Default: all. */
  readonly currentOnly?: boolean;
  readonly signal: AbortSignal;
}

const followPollMs = 200;
const rotationPollMs = 5;
/** In polls. Two files that begin alike look like a rotation for ever. */
const longestRotation = 100;

/** One rotated file: tells it from others whatever its number is. */
interface Rotated {
  readonly path: string;
  readonly key: string;
}

/** Where a reader is: behind so many bytes of the current file, which is newer than that rotated one. */
interface Position {
  readonly newest: string | null;
  readonly offset: number;
}

/**
 * Lines of a log, oldest first, each with its line end. When followed it ends after `options.signal`,
 * with what had been written by then; where there is no such file yet it waits for it.
 */
export function readLogs(folder: string, file: string, options: LogFileOptions): Readable {
  const bytes = Readable.from(read(folder, file, options), { objectMode: false });
  return bytes.setEncoding('utf8'); // characters that two reads divide
}

async function* read(
  folder: string,
  file: string,
  options: LogFileOptions,
): AsyncGenerator<Buffer> {
  const all = await readAll(folder, file);
  const text = options.currentOnly ? all.texts.at(-1)! : Buffer.concat(all.texts);
  const wanted = options.tail === null ? text : lastLines(text, options.tail);
  if (wanted.length > 0) yield wanted; // A stream takes no empty ones.
  if (options.follow) yield* follow(folder, file, behind(all), options.signal);
}

/** From the start of so many lines at the end. */
function lastLines(text: Buffer, count: number): Buffer {
  if (count === 0) return text.subarray(text.length);
  const lineEnd = '\n'.charCodeAt(0);
  let start = text.at(-1) === lineEnd ? text.length - 1 : text.length;
  for (let line = 0; line < count && start >= 0; line++) {
    start = start === 0 ? -1 : text.lastIndexOf(lineEnd, start - 1);
  }
  return text.subarray(start + 1);
}

interface Contents {
  /** Of all files, the current one last. */
  readonly texts: readonly Buffer[];
  /** Keys of the rotated ones, from new to old. */
  readonly keys: readonly string[];
}

/** G1 */
async function readAll(folder: string, file: string): Promise<Contents> {
  for (let waits = 0; ; waits++) {
    const rotated = await rotatedFiles(folder, file);
    const older = await Promise.all(rotated.map(({ path }) => readFrom(path, 0)));
    const current = await readFrom(join(folder, file), 0);
    const changed = (rotated[0]?.key ?? null) !== (await newestKey(folder, file));
    const copied = isCopied(older[0], current) && waits < longestRotation;
    if (!changed && !copied) {
      return { texts: [...older.reverse(), current], keys: rotated.map(({ key }) => key) };
    }
    await delay(rotationPollMs);
  }
}

/** Whether it looks as if a rotation was between copying and truncating. */
const isCopied = (copy: Buffer | undefined, current: Buffer) =>
  copy !== undefined && current.length > 0 && current.subarray(0, copy.length).equals(copy);

const behind = ({ texts, keys }: Contents): Position => ({
  newest: keys[0] ?? null,
  offset: texts.at(-1)!.length,
});

async function* follow(
  folder: string,
  file: string,
  start: Position,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let position = start;
  for (let last = false; !last;) {
    last = signal.aborted;
    const added = await readOn(folder, file, position);
    position = added.position;
    for (const text of added.texts) if (text.length > 0) yield text;
    if (!last) await delay(followPollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** What was written since. */
async function readOn(
  folder: string,
  file: string,
  { newest, offset }: Position,
): Promise<{ texts: readonly Buffer[]; position: Position }> {
  const path = join(folder, file);
  const from = (await sizeOf(path)) < offset ? 0 : offset; // truncated: by a rotation, or without a copy
  const text = await readFrom(path, from);
  if (newest === (await newestKey(folder, file))) {
    return { texts: [text], position: { newest, offset: from + text.length } };
  }
  const all = await readAll(folder, file);
  const rotations = newest === null ? -1 : all.keys.indexOf(newest);
  const [copy, ...newer] = rotations < 0 ? all.texts : all.texts.slice(-1 - rotations);
  return { texts: [copy!.subarray(offset), ...newer], position: behind(all) }; // G2
}

/** From new to old. */
async function rotatedFiles(folder: string, file: string): Promise<Rotated[]> {
  const numbers = (await readdir(folder).catch(() => []))
    .filter((name) => name.startsWith(`${file}.`))
    .map((name) => Number(name.slice(file.length + 1)))
    .filter((n) => Number.isInteger(n) && n > 0)
    .sort((a, b) => a - b);
  const found: Rotated[] = [];
  for (const path of numbers.map((n) => join(folder, `${file}.${n}`))) {
    const key = await keyOf(path);
    if (key !== null) found.push({ path, key });
  }
  return found;
}

const newestKey = (folder: string, file: string) => keyOf(join(folder, `${file}.1`));

/** A file keeps it when it is renamed; numbers of inodes alone are soon used again. */
async function keyOf(path: string): Promise<string | null> {
  return stat(path, { bigint: true }).then(
    ({ ino, mtimeNs }) => `${ino}/${mtimeNs}`,
    () => null,
  );
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** To the end; nothing of a file that is not there. */
async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path).catch(() => null);
  if (file === null) return Buffer.alloc(0);
  try {
    return await readRest(file, offset);
  } finally {
    await file.close();
  }
}

async function readRest(file: FileHandle, offset: number): Promise<Buffer> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.max(0, size - offset));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  return buffer.subarray(0, bytesRead);
}
