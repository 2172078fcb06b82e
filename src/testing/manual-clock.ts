/**
 * A clock that stands still until a test moves it, and the timers of the chains that run on it. Kinder than a
 * machine's: timers come at their time exactly, and its wall never steps.
 *
 * M1  `advance` goes from timer to timer: when one comes the clock shows its time, so that what it sets is
 *     relative to that, and comes in the same `advance` if it is due.
 */
import { durationMs } from '../api/windows.ts';
import type { Clock } from '../contract/clock.ts';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  private current: number;
  /** Ascending; equal ones in the order in which they were set. */
  private readonly timers: Timer[] = [];

  /** @param start Epoch milliseconds. */
  constructor(start = 0) {
    this.current = start;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.current;
  }

  /** The same as `now()`. */
  monotonic(): number {
    return this.current;
  }

  /**
   * Moves on and runs the timers on the way.
   *
   * @param duration `'10s'`, `'5m'`, or milliseconds.
   */
  advance(duration: string | number): void {
    const target = this.current + durationMs(duration);
    for (;;) {
      const next = this.timers[0];
      if (next === undefined || next.at > target) break;
      this.timers.shift();
      this.current = next.at; // M1
      next.action();
    }
    this.current = target;
  }

  /** Runs `action` once, in the `advance` that reaches `ms` from now. @returns how to prevent that. */
  after(ms: number, action: () => void): () => void {
    const timer = { at: this.current + Math.max(0, ms), action };
    let index = this.timers.length;
    while (index > 0 && this.timers[index - 1]!.at > timer.at) index--;
    this.timers.splice(index, 0, timer);
    return () => {
      const left = this.timers.indexOf(timer);
      if (left >= 0) this.timers.splice(left, 1);
    };
  }
}
