/**
 * Where a large text file can be divided: before a line that begins an item.
 *
 * In CSV that depends on everything before it, for a quoted field may hold line breaks. So the file is read
 * once to its end, which goes many times faster than parsing it: of what is between rows only lines with
 * quotes are looked at, by the parser that reads the rows later.
 */
import { openFileSystem } from '../../storage/open.ts';
import { type Block, TextBlocks, openText } from './text-blocks.ts';
import type { TextEncoding } from './text-encoding.ts';
import {
  type TextFormat,
  decodeLines,
  indexOfText,
  lastLineStart,
  lineStartAfter,
} from './text-format.ts';
import type { ItemParser } from './text-split.ts';

export interface RowBoundaries {
  /** The first beginning of an item at or behind `target`; `null`: there is none. Ascending targets only. */
  next(target: number): Promise<number | null>;
  close(): Promise<void>;
}

const windowBytes = 64 * 1024;

/** Each line is an item. */
export async function openLineBoundaries(
  file: string,
  encoding: TextEncoding | null,
): Promise<RowBoundaries> {
  const { format, blocks } = await openText(file, encoding, 0, null);
  await blocks.close();
  const { fileSystem, path } = await openFileSystem(file);
  const opened = await fileSystem.open(path);
  return {
    async next(target) {
      const { unit } = format;
      let at = Math.max(Math.ceil(target / unit) * unit - unit, format.bomBytes);
      for (;;) {
        const bytes = await opened.read(at, windowBytes);
        const found = lineStartAfter(bytes, 0, format);
        if (found >= 0) return at + found;
        if (bytes.length < windowBytes) return null;
        at += bytes.length;
      }
    },
    close: () => opened.close(),
  };
}

/** @param quote without which a line, where none is open, is a row. @param parser of the rows of this file. */
export async function openQuotedBoundaries(
  file: string,
  encoding: TextEncoding | null,
  quote: string,
  parser: ItemParser<unknown>,
): Promise<RowBoundaries> {
  const { format, blocks } = await openText(file, encoding, 0, null);
  return new QuotedBoundaries(blocks, format, quote, parser);
}

class QuotedBoundaries implements RowBoundaries {
  readonly #blocks: TextBlocks;
  readonly #format: TextFormat;
  readonly #quote: string;
  readonly #parser: ItemParser<unknown>;
  #block: Block = { bytes: Buffer.alloc(0), start: 0 };
  /** In the block: where a line begins that was not looked at yet. */
  #at = 0;
  /** The first row tells the parser how many columns there are. */
  #hasFirst = false;

  constructor(blocks: TextBlocks, format: TextFormat, quote: string, parser: ItemParser<unknown>) {
    this.#blocks = blocks;
    this.#format = format;
    this.#quote = quote;
    this.#parser = parser;
  }

  async next(target: number): Promise<number | null> {
    for (;;) {
      const found = this.#inBlock(target);
      if (found !== null) return found;
      await this.#blocks.available();
      const block = this.#blocks.take();
      if (block === null) return null;
      this.#block = block;
      this.#at = 0;
    }
  }

  #inBlock(target: number): number | null {
    const { bytes, start } = this.#block;
    while (this.#at < bytes.length) {
      if (this.#parser.isBetweenItems) {
        if (start + this.#at >= target) return start + this.#at;
        if (this.#hasFirst) {
          const quoted = this.#nextQuotedLine(bytes);
          const found = this.#lineFrom(bytes, target - start);
          if (found !== null && found <= quoted) {
            this.#at = found;
            continue;
          }
          this.#at = quoted;
          if (quoted === bytes.length) return null;
        }
      }
      this.#parseLine(bytes);
    }
    return null;
  }

  /** Where the next line with a quote begins, or the block ends. */
  #nextQuotedLine(bytes: Buffer): number {
    const quote = indexOfText(bytes, this.#quote, this.#at, this.#format);
    if (quote < 0) return bytes.length;
    const line = lastLineStart(bytes.subarray(this.#at, quote), this.#format);
    return line < 0 ? this.#at : this.#at + line;
  }

  /** Where the first line at or behind an index begins. */
  #lineFrom(bytes: Buffer, index: number): number | null {
    const { unit } = this.#format;
    const from = Math.max(this.#at, Math.ceil(index / unit) * unit - unit);
    const found = lineStartAfter(bytes, from, this.#format);
    return found < 0 ? null : found;
  }

  #parseLine(bytes: Buffer): void {
    const next = lineStartAfter(bytes, this.#at, this.#format);
    const end = next < 0 ? bytes.length : next;
    this.#parser.push(decodeLines(bytes.subarray(this.#at, end), this.#format));
    this.#at = end;
    while (this.#parser.next() !== null) this.#hasFirst = true;
  }

  close(): Promise<void> {
    return this.#blocks.close();
  }
}
