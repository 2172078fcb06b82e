/** Lets a few pieces of work go on at a time; the others wait in the order they came. */
export class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param max at least 1. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Begins when it is its turn, which ends with it. Resolves or rejects as the work does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#max) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken--;
      else next(); // The place is handed on.
    }
  }
}
