/**
 * Processing-time timers of one chain, on top of the host's one timer call. They are few (watermark
 * emission, idleness: a handful per operator, never one per record), so a sorted list is enough.
 */
import type { ChainHost } from '../operators/operator-chain.ts';

interface Timer {
  readonly timestamp: number;
  readonly callback: (now: number) => void;
}

export class ProcessingTimers {
  private readonly host: Pick<ChainHost, 'clock' | 'registerProcessingTimer'>;
  /** Ascending by timestamp; equal ones in order of registration. */
  private readonly timers: Timer[] = [];

  constructor(host: Pick<ChainHost, 'clock' | 'registerProcessingTimer'>) {
    this.host = host;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.host.clock();
  }

  /** Calls `callback` once, when the clock has reached `timestamp`. */
  register(timestamp: number, callback: (now: number) => void): void {
    let at = this.timers.length;
    while (at > 0 && this.timers[at - 1]!.timestamp > timestamp) at--;
    this.timers.splice(at, 0, { timestamp, callback });
    this.host.registerProcessingTimer(timestamp);
  }

  /** The clock has reached `now`. A callback may register further timers, also ones that are due. */
  fire(now: number): void {
    for (;;) {
      const next = this.timers[0];
      if (next === undefined || next.timestamp > now) return;
      this.timers.shift();
      next.callback(now);
    }
  }

  /** Nothing fires any more. */
  clear(): void {
    this.timers.length = 0;
  }
}
