/** A clock on which time passes as soon as everybody waits for it: hours take milliseconds. */
import type { Clock } from '../../src/contract/clock.ts';

const soonMs = 1000;

export class FastClock implements Clock {
  #time = Date.parse('2026-01-01T00:00:00Z');
  readonly #timers: { readonly at: number; readonly action: () => void }[] = [];
  #disarm: () => void = () => {};

  now(): number {
    return Math.floor(this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#time + ms, action };
    this.#timers.push(timer);
    this.#arm();
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** Lets time pass in which nothing happens. */
  skip(ms: number): void {
    this.#time += ms;
  }

  #arm(): void {
    this.#disarm();
    if (this.#timers.length === 0) return;
    const next = Math.min(...this.#timers.map(({ at }) => at));
    // Somebody may just be reading a file: nobody is to renew a lock a hundred times meanwhile.
    if (next - this.#time > soonMs) {
      const timer = setTimeout(() => this.#step(), 5);
      this.#disarm = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(() => this.#step());
      this.#disarm = () => clearImmediate(immediate);
    }
  }

  #step(): void {
    const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined) return;
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.#time = Math.max(this.#time, next.at);
    this.#arm();
    next.action();
  }
}
