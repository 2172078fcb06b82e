/**
 * A clock that stands still until a test moves it, and the timers of the chains that run on it.
 *
 * M1  `advance` goes from timer to timer: when one fires the clock shows its time, so that what it
 *     registers is relative to that, and fires in the same `advance` if it is due.
 */
import { durationMs } from '../api/windows.ts';

interface Timer {
  readonly timestamp: number;
  readonly fire: (timestamp: number) => void;
}

export class ManualClock {
  private current: number;
  /** Ascending; equal ones in order of registration. */
  private readonly timers: Timer[] = [];

  /** @param start Epoch milliseconds. */
  constructor(start = 0) {
    this.current = start;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.current;
  }

  /**
   * Moves on and fires the timers on the way.
   *
   * @param duration `'10s'`, `'5m'`, or milliseconds.
   */
  advance(duration: string | number): void {
    const target = this.current + durationMs(duration);
    for (;;) {
      const next = this.timers[0];
      if (next === undefined || next.timestamp > target) break;
      this.timers.shift();
      this.current = Math.max(this.current, next.timestamp); // M1
      next.fire(this.current);
    }
    this.current = target;
  }

  /** Calls `fire` once the clock has reached `timestamp`; one in the past at the next `advance`. */
  register(timestamp: number, fire: (timestamp: number) => void): void {
    let at = this.timers.length;
    while (at > 0 && this.timers[at - 1]!.timestamp > timestamp) at--;
    this.timers.splice(at, 0, { timestamp, fire });
  }
}
