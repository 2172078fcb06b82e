/**
 * What a task counts, and where its time goes: busy in its turns, back-pressured while an output or a
 * sink takes nothing, idle for the rest.
 */
import type { Clock } from '../../../contract/clock.ts';
import {
  createTaskCounters,
  type TaskCounters,
  taskCounterNames,
  type TaskGauges,
  type TaskMetrics,
} from '../../../contract/metrics/task-metrics.ts';
import type { OperatorChain } from '../operators/operator-chain.ts';

/** What is asked of a chain. */
export type MeasuredChain = Pick<OperatorChain, 'metrics' | 'currentWatermark'>;

export class TaskMeter {
  /** What is counted outside of the chain. */
  readonly counters: TaskCounters = createTaskCounters();
  private readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  private openedAt: number | null = null;
  private startedAt: number | null = null;
  private endedAt: number | null = null;
  private pressedSince: number | null = null;

  constructor(clock: Pick<Clock, 'monotonic' | 'now'>) {
    this.clock = clock;
  }

  /** It begins to open its operators. */
  open(): void {
    this.openedAt = this.now();
  }

  /** They are open. */
  start(): void {
    this.startedAt = this.now();
  }

  end(): void {
    this.pressed(false);
    this.endedAt ??= this.now();
  }

  busy(ms: number): void {
    this.counters.busyMs += ms;
  }

  /** Called when it changes, or again. */
  pressed(isPressed: boolean): void {
    if (isPressed) {
      this.pressedSince ??= this.now();
    } else if (this.pressedSince !== null) {
      this.counters.backPressuredMs += this.now() - this.pressedSince;
      this.pressedSince = null;
    }
  }

  /** Of the task and its chain, `null` before there is one; counters are whole numbers. */
  metrics(chain: MeasuredChain | null): TaskMetrics {
    const sums = this.counted();
    if (chain !== null) for (const name of taskCounterNames) sums[name] += chain.metrics[name];
    for (const name of taskCounterNames) sums[name] = Math.round(sums[name]);
    return { ...sums, ...this.measured(chain) };
  }

  private counted(): TaskCounters {
    const now = this.endedAt ?? this.now();
    const { busyMs, backPressuredMs } = this.counters;
    const pressed = backPressuredMs + (this.pressedSince === null ? 0 : now - this.pressedSince);
    const total = this.startedAt === null ? 0 : now - this.startedAt;
    const idleMs = Math.max(0, total - busyMs - pressed);
    return { ...this.counters, backPressuredMs: pressed, idleMs };
  }

  private measured(chain: MeasuredChain | null): TaskGauges {
    const { openedAt, startedAt } = this;
    const watermark = chain?.currentWatermark ?? Number.NEGATIVE_INFINITY;
    return {
      watermark: portableTime(watermark),
      watermarkLagMs: Number.isFinite(watermark) ? Math.round(this.clock.now() - watermark) : null,
      initializationMs:
        openedAt === null || startedAt === null ? null : Math.round(startedAt - openedAt),
    };
  }

  private now(): number {
    return this.clock.monotonic();
  }
}

/** JSON and Flink's clients have no infinities. */
function portableTime(time: number): number | null {
  if (time === Number.NEGATIVE_INFINITY || Number.isNaN(time)) return null;
  return time === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : time;
}
