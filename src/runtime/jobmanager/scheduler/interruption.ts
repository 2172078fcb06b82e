/** Makes a sequence of steps end at the one it is in, whatever that waits for. */

/** Thrown at whoever waits. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

export class Interruption {
  readonly #interrupted: Promise<never>;
  #reject!: (reason: Interrupted) => void;
  #isOver = false;

  constructor() {
    this.#interrupted = new Promise((_, reject) => (this.#reject = reject));
    this.#interrupted.catch(() => {}); // it may come when nothing waits
  }

  interrupt(): void {
    this.#isOver = true;
    this.#reject(new Interrupted());
  }

  /** @throws Interrupted */
  check(): void {
    if (this.#isOver) throw new Interrupted();
  }

  /** Waits for `step`. Rejects with Interrupted, also when both happened in the same turn. */
  async race<T>(step: Promise<T>): Promise<T> {
    const value = await Promise.race([step, this.#interrupted]);
    this.check();
    return value;
  }
}
