/** Splits of text files: items (lines, or rows of CSV) with their line numbers, converted to records. */
import { type ReadStream, createReadStream } from 'node:fs';
import { NO_TIMESTAMP, type SourceOutput, type Split } from '../../api/source.ts';
import { type OpenSplit, fileOf, positionOf } from '../split-reader.ts';

export interface Item<V> {
  readonly value: V;
  /** 1-based, of its last line. */
  readonly line: number;
}

/** Turns the text of a file into items, as it comes. */
export interface ItemParser<V> {
  /** More text; all of it is parsed before `next` is called. */
  push(text: string): void;
  /** No more text comes. */
  end(): void;
  /** After `end`: whether `next` has given everything. */
  readonly ended: boolean;
  /** The next item that is complete; `null` when there is none now. @throws `LINE: why` when the text is malformed. */
  next(): Item<V> | null;
}

export interface TextSplitOptions<V, T> {
  readonly parser: ItemParser<V>;
  /** @throws when the item is malformed. */
  readonly convert: (item: Item<V>) => T;
  /** What to do with an item that is malformed. */
  readonly onError: 'fail' | 'skip';
  readonly skipped: () => void;
}

/** Makes the whole file unreadable: fails the job also when malformed records are skipped. */
export class FatalInputError extends TypeError {}

const chunkBytes = 256 * 1024;

export class TextSplit<V, T> implements OpenSplit<T> {
  readonly #file: string;
  readonly #options: TextSplitOptions<V, T>;
  readonly #stream: ReadStream;
  /** Records to read over, because they were emitted before (a restored split). */
  #toSkip: number;
  #textEnded = false;
  #failure: Error | null = null;
  ended = false;

  constructor(split: Split, options: TextSplitOptions<V, T>) {
    this.#file = fileOf(split);
    this.#options = options;
    this.#toSkip = positionOf(split);
    this.#stream = createReadStream(this.#file, { encoding: 'utf8', highWaterMark: chunkBytes });
    this.#stream.on('end', () => {
      this.#textEnded = true;
      options.parser.end();
    });
    this.#stream.on('error', (error) => {
      this.#failure = new Error(`cannot read ${this.#file}: ${error.message}`, { cause: error });
    });
  }

  emit(output: SourceOutput<T>, max: number): number {
    let emitted = 0;
    while (emitted < max) {
      const item = this.#next();
      if (item === null) break;
      const record = this.#convert(item);
      if (record === undefined) continue;
      if (this.#toSkip > 0) this.#toSkip--;
      else {
        output.emit(record, NO_TIMESTAMP);
        emitted++;
      }
    }
    return emitted;
  }

  #next(): Item<V> | null {
    const { parser } = this.#options;
    for (;;) {
      if (this.#failure) throw this.#failure;
      const item = this.#guard(() => parser.next());
      if (item !== null) return item;
      const chunk = this.#stream.read() as string | null;
      if (chunk === null) {
        this.ended = this.#textEnded && parser.ended;
        return null;
      }
      parser.push(chunk);
    }
  }

  #guard<R>(parse: () => R): R {
    try {
      return parse();
    } catch (error) {
      throw new Error(`${this.#file}:${(error as Error).message}`, { cause: error });
    }
  }

  #convert(item: Item<V>): T | undefined {
    try {
      return this.#options.convert(item);
    } catch (error) {
      if (this.#options.onError === 'skip' && !(error instanceof FatalInputError)) {
        this.#options.skipped();
        return undefined;
      }
      throw new Error(`${this.#file}:${item.line}: ${(error as Error).message}`, { cause: error });
    }
  }

  async available(): Promise<void> {
    if (this.#failure || this.#stream.readableLength > 0) return;
    if (this.#textEnded) {
      await new Promise((resolve) => setImmediate(resolve)); // the parser's own end is on its way
      return;
    }
    await new Promise<void>((resolve) => {
      const events = ['readable', 'end', 'error', 'close'] as const;
      const done = () => {
        for (const event of events) this.#stream.off(event, done);
        resolve();
      };
      for (const event of events) this.#stream.on(event, done);
    });
  }

  async close(): Promise<void> {
    this.#stream.destroy();
  }
}
