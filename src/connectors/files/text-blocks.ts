/**
 * A range of a text file as blocks of whole lines, the next one read while the last one is parsed.
 *
 * B1  Blocks are cut by their bytes, so that nothing is counted a line: where a line lies in the file is
 *     looked up in the bytes of its block, and only when somebody asks.
 */
import { behind, isCompressed, readChunks, readProblem } from './byte-chunks.ts';
import type { Chunks } from './decompress.ts';
import type { TextEncoding } from './text-encoding.ts';
import {
  type TextFormat,
  TextFormatError,
  detectFormat,
  lastLineStart,
  lineStartAfter,
  looksCompressed,
  notUtf8,
  probeBytes,
} from './text-format.ts';

/** Whole lines; only the last block of a file may end without the end of a line. */
export interface Block {
  readonly bytes: Buffer;
  /** Of its first byte in the (decompressed) file. */
  readonly start: number;
}

/** Opened text: what its bytes mean, and its blocks. */
export interface OpenText {
  readonly format: TextFormat;
  readonly blocks: TextBlocks;
}

/**
 * @param from where a line begins; @param to where one begins, or `null`: the end of the file.
 * @throws Error naming the file.
 */
export async function openText(
  file: string,
  encoding: TextEncoding | null,
  from: number,
  to: number | null,
): Promise<OpenText> {
  const chunks = readChunks(file, 0, from === 0 ? null : isCompressed(file) ? null : probeBytes);
  const head = await headOf(file, chunks);
  const format = await detected(file, head, encoding);
  if (from > 0 || to !== null) await chunks.return();
  else return { format, blocks: new TextBlocks(file, format, 0, null, joined(head, chunks)) };
  return { format, blocks: new TextBlocks(file, format, from, to) };
}

async function detected(file: string, head: Buffer[], encoding: TextEncoding | null) {
  try {
    return detectFormat(Buffer.concat(head).subarray(0, probeBytes), encoding);
  } catch (error) {
    if (!(error instanceof TextFormatError)) throw error;
    throw new Error(`cannot read ${file}: ${error.message}`, { cause: error });
  }
}

/** Chunks that have `probeBytes` bytes, or all. */
async function headOf(file: string, chunks: Chunks): Promise<Buffer[]> {
  const head: Buffer[] = [];
  try {
    for (let length = 0; length < probeBytes;) {
      const next = await chunks.next();
      if (next.done) break;
      head.push(next.value);
      length += next.value.length;
    }
  } catch (error) {
    throw readProblem(file, error as Error);
  }
  return head;
}

async function* joined(head: readonly Buffer[], rest: Chunks): Chunks {
  try {
    yield* head;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** For the first line that is no UTF-8. @throws Error naming the file. */
export async function notUtf8Problem(file: string): Promise<string> {
  if (isCompressed(file)) return notUtf8;
  const chunks = readChunks(file, 0, probeBytes);
  const ending = looksCompressed(Buffer.concat(await headOf(file, chunks)));
  await chunks.return();
  return ending === null ? notUtf8 : `it looks compressed: give the file the ending ${ending}`;
}

export class TextBlocks {
  readonly #file: string;
  readonly #format: TextFormat;
  readonly #chunks: Chunks;
  /** The bytes of a line that has no end yet. */
  #pending: Buffer[] = [];
  /** Where the next block begins. */
  #start: number;
  #reading: Promise<void>;
  #next: Block | null = null;
  #failure: Error | null = null;
  /** Whether all blocks were given. */
  ended = false;

  /**
   * @param from where a line begins; @param to where one begins, or `null`: the end of the file.
   * @param all the chunks of the whole file, where they are at hand.
   */
  constructor(
    file: string,
    format: TextFormat,
    from: number,
    to: number | null,
    all: Chunks | null = null,
  ) {
    this.#file = file;
    this.#format = format;
    this.#start = Math.max(from, format.bomBytes);
    this.#chunks = all === null ? readChunks(file, this.#start, to) : behind(all, this.#start);
    this.#reading = this.#read();
  }

  /** The next block; `null` when none is there now. @throws Error naming the file. */
  take(): Block | null {
    if (this.#failure !== null) throw this.#failure;
    const block = this.#next;
    if (block === null) return null;
    this.#next = null;
    this.#reading = this.#read();
    return block;
  }

  /** Resolves when `take` can do something again. Never rejects. */
  available(): Promise<void> {
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      this.#next = await this.#nextBlock();
      this.ended = this.#next === null;
    } catch (error) {
      this.#failure = readProblem(this.#file, error as Error);
    }
  }

  async #nextBlock(): Promise<Block | null> {
    for (;;) {
      const { value: chunk } = await this.#chunks.next();
      if (!chunk) return this.#blockOf([]);
      this.#pending.push(chunk);
      // A code unit may lie across chunks: only whole ones are looked at.
      const bytes = this.#format.unit === 1 ? chunk : this.#joined();
      const cut = lastLineStart(bytes, this.#format);
      if (cut < 0) continue;
      this.#pending.pop();
      this.#pending.push(bytes.subarray(0, cut));
      return this.#blockOf(cut < bytes.length ? [bytes.subarray(cut)] : []);
    }
  }

  #joined(): Buffer {
    this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0]!;
  }

  /** Of what is pending. @param rest pending from now on. */
  #blockOf(rest: Buffer[]): Block | null {
    const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    this.#pending = rest;
    if (bytes.length === 0) return null;
    if (bytes.length % this.#format.unit !== 0) throw new Error('it ends within a character');
    const start = this.#start;
    this.#start += bytes.length;
    return { bytes, start };
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#chunks.return();
  }
}

/** Where the line behind so many lines of these blocks begins. */
export function offsetAfterLines(
  blocks: readonly Block[],
  lines: number,
  format: TextFormat,
): number {
  let left = lines;
  for (const { bytes, start } of blocks) {
    for (let at = 0; at < bytes.length;) {
      if (left-- === 0) return start + at;
      const next = lineStartAfter(bytes, at, format);
      at = next < 0 ? bytes.length : next;
    }
  }
  const last = blocks.at(-1);
  return last === undefined ? 0 : last.start + last.bytes.length;
}

/** Lines in these bytes; also counts one without an end. */
export function countLines(bytes: Buffer, format: TextFormat): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; lines++) {
    const next = lineStartAfter(bytes, at, format);
    at = next < 0 ? bytes.length : next;
  }
  return lines;
}

/** Lines of a file before an offset. @throws Error naming the file. */
export async function countLinesBefore(
  file: string,
  format: TextFormat,
  offset: number,
): Promise<number> {
  const blocks = new TextBlocks(file, format, 0, isCompressed(file) ? null : offset);
  let lines = 0;
  try {
    for (;;) {
      await blocks.available();
      const block = blocks.take();
      if (block === null || block.start >= offset) return lines;
      lines += countLines(block.bytes.subarray(0, offset - block.start), format);
    }
  } finally {
    await blocks.close();
  }
}
