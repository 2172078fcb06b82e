/** What the whole process uses. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { availableParallelism } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { type Clock, systemClock } from '../../contract/clock.ts';
import type { ProcessFigures } from '../../contract/metrics/process-metrics.ts';
import { LoopDelay } from './loop-delay.ts';

/** A shorter time says little about the load. */
const shortestSpanMs = 1000;

/** Means of the last span. */
type Load = Pick<
  ProcessFigures,
  'cpuLoad' | 'gcMsPerSecond' | 'eventLoopDelayMs' | 'eventLoopMaxDelayMs'
>;

export class ProcessMeter {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #gc = { gcCount: 0, gcMs: 0 };
  readonly #observer: PerformanceObserver;
  readonly #loop: LoopDelay;
  #last: { readonly time: number; readonly cpuMs: number; readonly gcMs: number };
  #load: Load | null = null;

  constructor(clock: Pick<Clock, 'monotonic' | 'after'> = systemClock) {
    this.#clock = clock;
    this.#loop = new LoopDelay(clock);
    this.#last = { time: clock.monotonic(), cpuMs: cpuMs(), gcMs: 0 };
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

  /** CPU load, time of collections a second and delays are of the span since an earlier call, at least a second ago. */
  measure(): ProcessFigures {
    const { external, heapTotal, heapUsed, rss } = process.memoryUsage();
    const used = cpuMs();
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      nonHeapBytes: Math.max(0, rss - heapTotal - external),
      externalBytes: external,
      cpuMs: used,
      ...this.#gc,
      ...this.#lately(used),
    };
  }

  close(): void {
    this.#observer.disconnect();
    this.#loop.close();
  }

  #lately(used: number): Load {
    const time = this.#clock.monotonic();
    const elapsedMs = time - this.#last.time;
    if (this.#load !== null && elapsedMs < shortestSpanMs) return this.#load;
    const share = (ms: number) => (elapsedMs > 0 ? ms / elapsedMs : 0);
    const { gcMs } = this.#gc;
    const { maxMs, meanMs } = this.#loop.take();
    this.#load = {
      cpuLoad: Math.min(1, share(used - this.#last.cpuMs) / availableParallelism()),
      gcMsPerSecond: Math.min(1000, share(gcMs - this.#last.gcMs) * 1000),
      eventLoopDelayMs: meanMs,
      eventLoopMaxDelayMs: maxMs,
    };
    this.#last = { time, cpuMs: used, gcMs };
    return this.#load;
  }
}

function cpuMs(): number {
  const { system, user } = process.cpuUsage();
  return (user + system) / 1000;
}
