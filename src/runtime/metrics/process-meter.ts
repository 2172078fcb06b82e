/** What the whole process uses. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { availableParallelism } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { ProcessFigures } from '../../contract/metrics/process-metrics.ts';

/** A shorter time says little about the load. */
const shortestSpanMs = 1000;

export class ProcessMeter {
  readonly #now: () => number;
  readonly #gc = { gcCount: 0, gcMs: 0 };
  readonly #observer: PerformanceObserver;
  #last: { readonly time: number; readonly cpuMs: number };
  #load = 0;

  /** @param now milliseconds, monotonous. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#last = { time: now(), cpuMs: cpuMs() };
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // Incremental marking and weak callbacks are steps of the others.
        const { detail, duration } = entry as PerformanceEntry & { detail: { kind: number } };
        const { kind } = detail;
        if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) continue;
        if (kind === constants.NODE_PERFORMANCE_GC_WEAKCB) continue;
        this.#gc.gcCount++;
        this.#gc.gcMs += duration;
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** CPU load is the mean since an earlier call, at least a second ago. */
  measure(): ProcessFigures {
    const { external, heapTotal, heapUsed, rss } = process.memoryUsage();
    const used = cpuMs();
    const elapsedMs = this.#now() - this.#last.time;
    if (elapsedMs >= shortestSpanMs || this.#load === 0) {
      this.#load = elapsedMs > 0 ? (used - this.#last.cpuMs) / elapsedMs : 0;
      this.#last = { time: this.#now(), cpuMs: used };
    }
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      nonHeapBytes: Math.max(0, rss - heapTotal - external),
      externalBytes: external,
      cpuLoad: Math.min(1, this.#load / availableParallelism()),
      cpuMs: used,
      ...this.#gc,
    };
  }

  close(): void {
    this.#observer.disconnect();
  }
}

function cpuMs(): number {
  const { system, user } = process.cpuUsage();
  return (user + system) / 1000;
}
