/**
 * Splits of text files: items (lines, or rows of CSV) with their line numbers, converted to records.
 *
 * T1  A split is a range of bytes, from the beginning of an item to that of another one, and its position is
 *     the first byte of the next item: whoever goes on from there reads nothing twice. In a compressed file
 *     these are the bytes that it is decompressed to.
 * T2  Errors name the line of the file. Its lines before the split are counted then, and not before.
 */
import { NO_TIMESTAMP, type SourceOutput, type Split } from '../../api/source.ts';
import { type OpenSplit, fileOf } from '../split-reader.ts';
import { ReadError } from './byte-chunks.ts';
import {
  type Block,
  type OpenText,
  TextBlocks,
  countLines,
  countLinesBefore,
  notUtf8Problem,
  offsetAfterLines,
  openText,
} from './text-blocks.ts';
import type { TextEncoding } from './text-encoding.ts';
import { type TextFormat, decodeLines, malformedLines } from './text-format.ts';

export interface Item<V> {
  readonly value: V;
  /** 1-based, of its last line. */
  readonly line: number;
}

/** Turns whole lines into items. */
export interface ItemParser<V> {
  /** More lines, each with its end; all of them are parsed before `next` is called. */
  push(text: string): void;
  /** No more text comes. The last line may have had no end. */
  end(): void;
  /** After `end`: whether `next` has given everything. */
  readonly ended: boolean;
  /** Whether all lines that were pushed belong to items that `next` has given, or to none. */
  readonly isBetweenItems: boolean;
  /** How many lines were read: all that were pushed, when it is between items. */
  readonly line: number;
  /** The next item that is complete; `null` when there is none now. @throws MalformedItem */
  next(): Item<V> | null;
}

/** Text that is no item. */
export class MalformedItem extends Error {
  /** 1-based. */
  readonly line: number;

  constructor(line: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
  }
}

/** Bytes that are no text of the encoding. */
class EncodingError extends Error {}

export interface TextSplitOptions<V, T> {
  /** @param first item of the file, for a split that begins behind it, where there is a `first`. */
  readonly createParser: (first: Item<V> | null, skipped: () => void) => ItemParser<V>;
  /** What the first item of the file is, where it says what the others mean: no record itself, or one. */
  readonly first: 'header' | 'record' | null;
  /** @returns `undefined` for an item that is no record. @throws when it is malformed. */
  readonly convert: (item: Item<V>) => T | undefined;
  /** `null`: what the file's byte order mark says, or else UTF-8. */
  readonly encoding: TextEncoding | null;
  /** What to do with an item that is malformed. */
  readonly onError: 'fail' | 'skip';
  readonly skipped: () => void;
}

/** Makes the whole file unreadable: fails the job also when malformed records are skipped. */
export class FatalInputError extends TypeError {}

interface OpenFile<V> extends OpenText {
  readonly parser: ItemParser<V>;
  /** Where reading began. */
  readonly start: number;
}

export class TextSplit<V, T> implements OpenSplit<T> {
  readonly #file: string;
  readonly #options: TextSplitOptions<V, T>;
  readonly #opening: Promise<void>;
  #open: OpenFile<V> | null = null;
  /** Rejects with what went wrong. */
  #failing: Promise<never> | null = null;
  /** Blocks with items that were not given yet; how many lines were read before them, and where they end. */
  #blocks: Block[] = [];
  #linesBefore = 0;
  #end: number;
  /** Last line of the last item that was given. */
  #line = 0;
  /** Lines with bytes that are no text. */
  readonly #malformed = new Set<number>();
  #isClosed = false;
  ended = false;

  constructor(split: Split, options: TextSplitOptions<V, T>) {
    this.#file = fileOf(split);
    this.#options = options;
    this.#end = Number(split['position'] ?? split['from'] ?? 0);
    const to = (split['to'] as number | null | undefined) ?? null;
    this.#opening = this.#openFile(this.#end, to).catch((error: Error) => {
      this.#fail(Promise.reject(error));
    });
  }

  async #openFile(from: number, to: number | null): Promise<void> {
    const { createParser, encoding, skipped } = this.#options;
    const opened = await openText(this.#file, encoding, from, to);
    let { blocks } = opened;
    const { format } = opened;
    let start = Math.max(from, format.bomBytes);
    let first: Item<V> | null = null;
    if (this.#options.first !== null && from > format.bomBytes) {
      const found = await this.#findFirst(format);
      if (found.end <= start || this.#options.first === 'header') first = found.item;
      if (found.end > start && this.#options.first === 'header') {
        await blocks.close();
        start = found.end;
        blocks = new TextBlocks(this.#file, format, start, to);
      }
    }
    this.#end = start;
    const parser = this.#guard(first?.line ?? 1, () => createParser(first, skipped));
    if (this.#isClosed) await blocks.close();
    else this.#open = { format, blocks, parser, start };
  }

  /** The first item of the file, and where it ends. */
  async #findFirst(format: TextFormat): Promise<{ item: Item<V> | null; end: number }> {
    const parser = this.#options.createParser(null, () => {});
    const blocks = new TextBlocks(this.#file, format, 0, null);
    const read: Block[] = [];
    try {
      for (;;) {
        await blocks.available();
        const block = blocks.take();
        if (block === null) parser.end();
        else parser.push(decodeLines(block.bytes, format));
        if (block !== null) read.push(block);
        const item = this.#guard(1, () => parser.next());
        if (item !== null) return { item, end: offsetAfterLines(read, item.line, format) };
        if (block === null) return { item: null, end: 0 };
      }
    } finally {
      await blocks.close();
    }
  }

  #guard<R>(line: number, action: () => R): R {
    try {
      return action();
    } catch (error) {
      const at = error instanceof MalformedItem ? error.line : line;
      throw new Error(`${this.#file}:${at}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** T1 */
  get position(): number {
    if (this.#open === null || this.#blocks.length === 0) return this.#end;
    return offsetAfterLines(this.#blocks, this.#line - this.#linesBefore, this.#open.format);
  }

  emit(output: SourceOutput<T>, max: number): number {
    const open = this.#open;
    if (open === null || this.#failing !== null) return 0;
    let emitted = 0;
    let line = this.#line;
    try {
      while (emitted < max) {
        const item = this.#next(open);
        if (item === null) break;
        line = item.line;
        const record = this.#recordOf(item);
        this.#line = line;
        if (record === undefined) continue;
        output.emit(record, NO_TIMESTAMP);
        emitted++;
      }
    } catch (error) {
      this.#fail(this.#described(open, line, error as Error));
    }
    return emitted;
  }

  #next(open: OpenFile<V>): Item<V> | null {
    const { blocks, parser } = open;
    for (;;) {
      const item = parser.next();
      if (item !== null) return item;
      if (parser.isBetweenItems) {
        this.#blocks = [];
        this.#linesBefore = parser.line;
      }
      if (parser.ended) {
        this.ended = true;
        return null;
      }
      const block = blocks.take();
      if (block !== null) this.#push(open, block);
      else if (blocks.ended) parser.end();
      else return null;
    }
  }

  #push({ format, parser }: OpenFile<V>, block: Block): void {
    const malformed = malformedLines(block.bytes, format);
    if (malformed !== null) {
      const counts = this.#blocks.map(({ bytes }) => countLines(bytes, format));
      const before = counts.reduce((sum, count) => sum + count, this.#linesBefore);
      for (const line of malformed) this.#malformed.add(before + line + 1);
    }
    this.#blocks.push(block);
    this.#end = block.start + block.bytes.length;
    parser.push(decodeLines(block.bytes, format));
  }

  #recordOf(item: Item<V>): T | undefined {
    try {
      if (this.#malformed.size > 0) this.#checkEncoding(item);
      return this.#options.convert(item);
    } catch (error) {
      if (this.#options.onError === 'fail' || error instanceof FatalInputError) throw error;
      this.#options.skipped();
      return undefined;
    }
  }

  /** What is no text became U+FFFD: rows before this one, which the parser left out, may be in its lines. */
  #checkEncoding(item: Item<V>): void {
    let isMalformed = false;
    for (const line of this.#malformed) {
      if (line > item.line) break;
      this.#malformed.delete(line);
      if (line > this.#line) isMalformed = true;
    }
    if (isMalformed && JSON.stringify(item.value).includes('\uFFFD')) throw new EncodingError();
  }

  #fail(failing: Promise<never>): void {
    failing.catch(() => {}); // reported by available()
    this.#failing = failing;
  }

  /** T2 */
  async #described(open: OpenFile<V>, line: number, error: Error): Promise<never> {
    const { format, start } = open;
    if (error instanceof ReadError) throw error;
    const before = await countLinesBefore(this.#file, format, start);
    const at = before + (error instanceof MalformedItem ? error.line : line);
    const why = error instanceof EncodingError ? await notUtf8Problem(this.#file) : error.message;
    throw new Error(`${this.#file}:${at}: ${why}`, { cause: error });
  }

  async available(): Promise<void> {
    if (this.#failing !== null) await this.#failing;
    await this.#opening;
    await this.#open?.blocks.available();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening;
    await this.#open?.blocks.close();
  }
}
