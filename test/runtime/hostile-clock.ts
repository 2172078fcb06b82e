/**
 * The clock that tests use in the place of the machine's: moved by hand, and as unkind as a real one may be.
 *
 * H1  A timer comes up to a millisecond before its time. One that waits for a millisecond or less comes
 *     after a whole one, as Node's do: who waits again for the rest gets there.
 * H2  Timers that are due within two milliseconds of each other come together, at the last one's time.
 * H3  The wall clock shows whole milliseconds, cut off at another phase than the monotonic side's.
 * H4  `step` moves the wall clock alone, backwards too.
 *
 * A test that looks at what waits for an exact time has to `advance` a millisecond beyond it.
 */
import type { Clock } from '../../src/contract/clock.ts';

interface Timer {
  /** When it comes, on the monotonic side. */
  readonly at: number;
  readonly action: () => void;
}

const earliness = [0.75, 0.25, 0.999];
const coalescedMs = 2;

export class HostileClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  readonly #timers = new Set<Timer>();
  #made = 0;

  /** @param now epoch milliseconds at the start. */
  constructor(now = 1_000_000) {
    this.#wallOffset = now + 0.4; // H3
  }

  now(): number {
    return Math.floor(this.#monotonic + this.#wallOffset);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, action: () => void): () => void {
    const early = ms > 1 ? earliness[this.#made++ % earliness.length]! : 0; // H1
    const timer = { at: this.#monotonic + Math.max(ms, 1) - early, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer comes: for tests that let others work at that very moment. */
  get untilNext(): number {
    return Math.max(0, Math.min(...[...this.#timers].map((t) => t.at)) - this.#monotonic);
  }

  /** Lets time pass and runs what comes meanwhile, in order. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (;;) {
      const together = this.#next(end);
      const last = together.at(-1);
      if (last === undefined) break;
      this.#monotonic = Math.max(this.#monotonic, last.at);
      // One may prevent another that comes with it.
      for (const timer of together) if (this.#timers.delete(timer)) timer.action();
    }
    this.#monotonic = end;
  }

  /** H4. What was set has not come closer. */
  step(ms: number): void {
    this.#wallOffset += ms;
  }

  /** H2 */
  #next(end: number): Timer[] {
    const due = [...this.#timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at);
    const first = due[0];
    return first === undefined ? [] : due.filter((t) => t.at <= first.at + coalescedMs);
  }
}
