/**
 * Intervals that the operators of one chain wait for, on top of the host's one timer. They are few (watermark
 * emission, idleness: a handful per operator, never one per record), so a sorted list is enough.
 *
 * T1  Intervals are measured on the monotonic side of the clock: a step of the wall clock neither ends nor
 *     prolongs one.
 * T2  The host may call too early, too late, or without need. Whatever it does, after `fire` it has been
 *     asked for the next one that is left: no timer is lost.
 */
import type { ChainHost } from '../operators/operator-chain.ts';

type TimerHost = Pick<ChainHost, 'clock' | 'wakeAfter'>;

interface Timer {
  readonly at: number;
  readonly callback: (now: number) => void;
}

export class ProcessingTimers {
  private readonly host: TimerHost;
  /** Ascending by time; equal ones in order of registration. */
  private readonly timers: Timer[] = [];

  constructor(host: TimerHost) {
    this.host = host;
  }

  /** Milliseconds, monotonic (T1). */
  now(): number {
    return this.host.clock.monotonic();
  }

  /** Calls `callback` once, when `now()` has reached `at`. */
  register(at: number, callback: (now: number) => void): void {
    let index = this.timers.length;
    while (index > 0 && this.timers[index - 1]!.at > at) index--;
    this.timers.splice(index, 0, { at, callback });
    if (index === 0) this.arm();
  }

  /** Calls what is due. A callback may register further timers, also ones that are due. */
  fire(): void {
    for (;;) {
      const next = this.timers[0];
      if (next === undefined) return;
      const now = this.now();
      if (next.at > now) return this.arm(); // T2
      this.timers.shift();
      next.callback(now);
    }
  }

  /** Nothing fires any more. */
  clear(): void {
    this.timers.length = 0;
  }

  private arm(): void {
    this.host.wakeAfter(Math.max(0, this.timers[0]!.at - this.now()));
  }
}
