/** How many chunks one side may still send (protocol.ts, G1). */
import { window } from './protocol.ts';

export class Credit {
  #left = window;
  #waiting: (() => void)[] = [];
  #closed = false;

  /** Resolves when a chunk may be sent, or when nobody takes any more. @returns whether it may. */
  async take(): Promise<boolean> {
    while (this.#left === 0 && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    if (this.#closed) return false;
    this.#left -= 1;
    return true;
  }

  give(count: number): void {
    this.#left = Math.min(window, this.#left + count);
    this.#wake();
  }

  /** The request is closed. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
