/** Text → items: lines, and rows of CSV (RFC 4180, by csv-parse). */
import { type Info, parse, type Parser } from 'csv-parse';
import type { Item, ItemParser } from './text-split.ts';

/** Lines without their ends (LF or CRLF). A byte order mark is left out. */
export class LineParser implements ItemParser<string> {
  #lines: string[] = [];
  #at = 0;
  #rest = '';
  #line = 0;
  #first = true;
  ended = false;

  push(text: string): void {
    const part = this.#first ? text.replace(/^\uFEFF/, '') : text;
    this.#first = false;
    this.#at = 0;
    if (!part.includes('\n')) {
      // A line of many chunks is put together once, not again with each of them.
      this.#rest += part;
      this.#lines = [];
      return;
    }
    this.#lines = (this.#rest + part).split('\n');
    this.#rest = this.#lines.pop()!;
  }

  end(): void {
    this.#lines = this.#rest === '' ? [] : [this.#rest];
    this.#rest = '';
    this.#at = 0;
    this.ended = true;
  }

  next(): Item<string> | null {
    const value = this.#lines[this.#at];
    if (value === undefined) return null;
    this.#at++;
    this.#line++;
    return { value: value.endsWith('\r') ? value.slice(0, -1) : value, line: this.#line };
  }
}

interface CsvRow {
  readonly record: string[];
  readonly info: Info;
}

export class CsvParser implements ItemParser<string[]> {
  readonly #parser: Parser;
  readonly #rows: CsvRow[] = [];
  #failure: Error | null = null;
  /** Of the last row that was given. */
  #line = 0;
  ended = false;

  constructor(options: { separator: string; onError: 'fail' | 'skip'; skipped: () => void }) {
    this.#parser = parse({
      delimiter: options.separator,
      bom: true,
      // Else the first line decides for all of them.
      record_delimiter: ['\r\n', '\n'],
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: options.onError === 'skip',
    });
    let lastLine: number | undefined;
    this.#parser.on('skip', ({ lines }: { lines?: number }) => {
      // A malformed row ends with its line: else its open quote would take in the rows after it.
      (this.#parser as Parser & { state: { quoting: boolean } }).state.quoting = false;
      if (lines !== lastLine) options.skipped(); // once a row
      lastLine = lines;
    });
    this.#parser.on('end', () => {
      this.ended = true;
    });
    this.#parser.on('error', (error: Error) => {
      this.#failure = error;
    });
  }

  push(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.end();
  }

  next(): Item<string[]> | null {
    if (this.#rows.length === 0) {
      for (let row; (row = this.#parser.read() as CsvRow | null) !== null;) this.#rows.push(row);
      this.#rows.reverse();
    }
    const row = this.#rows.pop();
    if (row) {
      this.#line = row.info.lines;
      return { value: row.record, line: this.#line };
    }
    if (this.#failure) throw this.#described(this.#failure);
    return null;
  }

  #described(cause: Error & { code?: string; lines?: number }): Error {
    // It is noticed at the end of the file, which says nothing about where it begins.
    if (cause.code === 'CSV_QUOTE_NOT_CLOSED') {
      return new Error(
        `${this.#line + 1}: the row that begins here has a quote that is never closed`,
        { cause },
      );
    }
    return new Error(`${cause.lines ?? '?'}: ${cause.message}`, { cause });
  }
}
