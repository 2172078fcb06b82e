/**
 * What a task did lately, for rates: the difference between its newest report and the youngest one that is
 * at least a window old, or its start.
 *
 * W1  How long that took is what the task itself says, not when its reports came: they may be late.
 */
import {
  createTaskCounters,
  type TaskCounters,
  taskCounterNames,
} from '../../contract/metrics/task-metrics.ts';

const windowMs = 10_000;

/** Counters of the last seconds. */
export interface RecentMetrics extends Readonly<TaskCounters> {
  /** How long it is about, by the task's own clock (W1); 0: nothing is known. */
  readonly ms: number;
}

type Counters = Readonly<TaskCounters>;

export const nothingRecent: RecentMetrics = { ...createTaskCounters(), ms: 0 };

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
  add(reported: Counters, time: number): void {
    this.#samples.push({ time, counters: reported });
    while (this.#samples.length > 2 && this.#samples[1]!.time <= time - windowMs) {
      this.#samples.shift();
    }
  }

  get recent(): RecentMetrics {
    const first = this.#samples[0]!.counters;
    const last = this.#samples.at(-1)!.counters;
    const recent = createTaskCounters();
    for (const name of taskCounterNames) recent[name] = Math.max(0, last[name] - first[name]);
    return { ...recent, ms: recent.busyMs + recent.idleMs + recent.backPressuredMs };
  }
}

/** How much each counter grew a second. */
export function ratesOf(recent: RecentMetrics): Readonly<TaskCounters> {
  const seconds = Math.max(recent.ms, 1) / 1000;
  const rates = createTaskCounters();
  for (const name of taskCounterNames) rates[name] = recent[name] / seconds;
  return rates;
}
