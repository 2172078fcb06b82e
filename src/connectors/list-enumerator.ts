/** An enumerator over splits that are all known at the start; hands them out in their order. */
import type { Split, SplitEnumerator } from '../api/source.ts';

export class ListEnumerator implements SplitEnumerator {
  readonly #find: () => Promise<Split[]>;
  #left: Split[] = [];
  #order = new Map<string, number>();

  /** @param find rejects with a clear error when the input is missing. */
  constructor(find: () => Promise<Split[]>) {
    this.#find = find;
  }

  async start(): Promise<void> {
    this.#left = await this.#find();
    this.#order = new Map(this.#left.map((split, index) => [split.id, index]));
  }

  async next(): Promise<Split | null> {
    return this.#left.shift() ?? null;
  }

  addBack(splits: readonly Split[]): void {
    const rank = (split: Split) => this.#order.get(split.id) ?? 0;
    this.#left = [...splits, ...this.#left].sort((a, b) => rank(a) - rank(b));
  }

  snapshot() {
    return [...this.#left];
  }

  async close(): Promise<void> {}
}
