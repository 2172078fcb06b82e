/**
 * How late the event loop of this thread comes to its timers: a timer is set again and again, and it is looked
 * how late it comes. Node's own histogram misses what happens right after it was read.
 */
import type { Clock } from '../../contract/clock.ts';

/** Each wakes the process. */
const intervalMs = 100;

export class LoopDelay {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;
  #stop: () => void = () => {};

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.#clock = clock;
    this.#wait();
  }

  /** Mean and worst since the last call, in milliseconds; 0 when there was no look since. */
  take(): { readonly meanMs: number; readonly maxMs: number } {
    const taken = { meanMs: this.#count > 0 ? this.#sumMs / this.#count : 0, maxMs: this.#maxMs };
    this.#count = 0;
    this.#sumMs = 0;
    this.#maxMs = 0;
    return taken;
  }

  close(): void {
    this.#stop();
  }

  #wait(): void {
    const due = this.#clock.monotonic() + intervalMs;
    this.#stop = this.#clock.after(intervalMs, () => {
      const late = Math.max(0, this.#clock.monotonic() - due);
      this.#count++;
      this.#sumMs += late;
      this.#maxMs = Math.max(this.#maxMs, late);
      this.#wait();
    });
  }
}
