/** Text → lines. */
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
    const value = this.nextRaw();
    if (value === null) return null;
    return { value: value.endsWith('\r') ? value.slice(0, -1) : value, line: this.#line };
  }

  /** The next line with the CR before its LF. */
  nextRaw(): string | null {
    const value = this.#lines[this.#at];
    if (value === undefined) return null;
    this.#at++;
    this.#line++;
    return value;
  }
}
