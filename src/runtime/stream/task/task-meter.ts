/**
 * Counters of a task, and where its time went: busy in its turns, back-pressured while an output or a
 * sink takes nothing, idle for the rest.
 */
import type { Clock } from '../../../contract/clock.ts';
import type { ChainMetrics } from '../operators/operator-chain.ts';
import type { TaskMetrics } from './deployment.ts';

export class TaskMeter {
  recordsIn = 0;
  recordsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  private readonly now: () => number;
  private startedAt: number | null = null;
  private endedAt: number | null = null;
  private busyMs = 0;
  private backPressuredMs = 0;
  private pressedSince: number | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.now = () => clock.monotonic();
  }

  start(): void {
    this.startedAt = this.now();
  }

  end(): void {
    this.pressed(false);
    this.endedAt ??= this.now();
  }

  busy(ms: number): void {
    this.busyMs += ms;
  }

  /** Called when it changes, or again. */
  pressed(isPressed: boolean): void {
    if (isPressed) {
      this.pressedSince ??= this.now();
    } else if (this.pressedSince !== null) {
      this.backPressuredMs += this.now() - this.pressedSince;
      this.pressedSince = null;
    }
  }

  metrics(chain: ChainMetrics | null, isSource: boolean, isSink: boolean): TaskMetrics {
    const now = this.endedAt ?? this.now();
    const total = this.startedAt === null ? 0 : now - this.startedAt;
    const pressed =
      this.backPressuredMs + (this.pressedSince === null ? 0 : now - this.pressedSince);
    return {
      recordsIn: isSource && chain !== null ? chain.recordsRead : this.recordsIn,
      recordsOut: isSink && chain !== null ? chain.recordsWritten : this.recordsOut,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      lateRecordsDropped: chain?.lateRecordsDropped ?? 0,
      skippedRecords: chain?.skippedRecords ?? 0,
      watermark: chain === null ? null : portableWatermark(chain.currentWatermark),
      busyMs: Math.round(this.busyMs),
      idleMs: Math.max(0, Math.round(total - this.busyMs - pressed)),
      backPressuredMs: Math.round(pressed),
    };
  }
}

/** JSON and Flink's clients have no infinities. */
function portableWatermark(watermark: number): number | null {
  if (watermark === Number.NEGATIVE_INFINITY || Number.isNaN(watermark)) return null;
  return watermark === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : watermark;
}
