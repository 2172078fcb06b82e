/** Text → lines. */
import type { Item, ItemParser } from './text-split.ts';

/** Lines without their ends (LF or CRLF). */
export class LineParser implements ItemParser<string> {
  #lines: string[] = [];
  #at = 0;
  line = 0;
  ended = false;

  push(text: string): void {
    this.#lines = text.split('\n');
    this.#at = 0;
    // Behind the last line's end is no line.
    if (text.endsWith('\n')) this.#lines.pop();
  }

  end(): void {
    this.ended = true;
  }

  get isBetweenItems(): boolean {
    return this.#at === this.#lines.length;
  }

  next(): Item<string> | null {
    const value = this.nextRaw();
    if (value === null) return null;
    return { value: value.endsWith('\r') ? value.slice(0, -1) : value, line: this.line };
  }

  /** The next line with the CR before its LF. */
  nextRaw(): string | null {
    const value = this.#lines[this.#at];
    if (value === undefined) return null;
    this.#at++;
    this.line++;
    return value;
  }
}
