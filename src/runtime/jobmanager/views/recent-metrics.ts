/**
 * What a task did lately, for rates: the difference between its newest report and the youngest one that is
 * at least a window old, or its start.
 *
 * W1  How long that took is what the task itself says, not when its reports came: they may be late.
 */
import type { TaskMetrics } from '../../rpc/protocol.ts';

const windowMs = 10_000;

/** Counters of the last seconds; times in milliseconds. */
export interface RecentMetrics {
  /** How long it is about, by the task's own clock (W1); 0: nothing is known. */
  readonly ms: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly busyMs: number;
  readonly idleMs: number;
  readonly backPressuredMs: number;
}

export const nothingRecent: RecentMetrics = {
  ms: 0,
  recordsIn: 0,
  recordsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  busyMs: 0,
  idleMs: 0,
  backPressuredMs: 0,
};

type Counters = Omit<RecentMetrics, 'ms'>;

interface Sample {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly counters: Counters;
}

export class MetricsWindow {
  /** Oldest first. The first one is the only one that may be older than the window. */
  readonly #samples: Sample[];

  /** @param start when all counters were 0: epoch milliseconds. */
  constructor(start: number) {
    this.#samples = [{ time: start, counters: nothingRecent }];
  }

  /** @param time of the report: epoch milliseconds. */
  add(reported: TaskMetrics, time: number): void {
    this.#samples.push({ time, counters: reported });
    while (this.#samples.length > 2 && this.#samples[1]!.time <= time - windowMs) {
      this.#samples.shift();
    }
  }

  get recent(): RecentMetrics {
    const first = this.#samples[0]!.counters;
    const last = this.#samples.at(-1)!.counters;
    const difference = (key: keyof Counters) => Math.max(0, last[key] - first[key]);
    const busyMs = difference('busyMs');
    const idleMs = difference('idleMs');
    const backPressuredMs = difference('backPressuredMs');
    return {
      ms: busyMs + idleMs + backPressuredMs,
      recordsIn: difference('recordsIn'),
      recordsOut: difference('recordsOut'),
      bytesIn: difference('bytesIn'),
      bytesOut: difference('bytesOut'),
      busyMs,
      idleMs,
      backPressuredMs,
    };
  }
}
