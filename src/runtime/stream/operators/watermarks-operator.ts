/**
 * `assignTimestampsAndWatermarks` in the middle of a stream: new timestamps and watermarks, whatever came
 * from before. As Flink's:
 *
 * W1  Watermarks and idleness from before are dropped, but for the highest watermark (end of input).
 * W2  There are no batches here, so the watermark is passed on by the clock, every 200 ms while
 *     elements arrive. No elements: no timers.
 * W3  The stream is idle when no element came for `idlenessMs`.
 */
import { MAX_WATERMARK } from '../../../api/source.ts';
import type { WatermarkStrategy } from '../../../api/watermarks.ts';
import { EventTime } from './event-time.ts';
import { Operator } from './operator.ts';
import type { OperatorSetup } from './operator.ts';
import type { ProcessingTimers } from '../timers/processing-timers.ts';

/** Flink's `pipeline.auto-watermark-interval`. */
const WATERMARK_INTERVAL_MS = 200;

export class WatermarksOperator extends Operator {
  private readonly eventTime: EventTime;
  private readonly idlenessMs: number | null;
  private readonly timers: ProcessingTimers;
  private isIdle = false;
  private hasEnded = false;
  /** An element came since the last emission, and a timer for the next one is registered. */
  private emissionPending = false;
  private idleTimerPending = false;
  private lastActive = 0;

  constructor(setup: OperatorSetup, strategy: WatermarkStrategy<unknown>) {
    super(setup);
    this.eventTime = new EventTime(strategy, setup.name);
    this.idlenessMs = strategy.idlenessMs;
    this.timers = setup.timers;
  }

  override async open(): Promise<void> {
    this.lastActive = this.timers.now();
    this.scheduleIdleCheck();
  }

  record(value: unknown, _timestamp: number): void {
    try {
      const timestamp = this.eventTime.assign(value);
      if (!this.emissionPending) this.activate();
      this.output.record(value, timestamp);
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }

  override watermark(timestamp: number): void {
    if (timestamp !== MAX_WATERMARK) return; // W1
    this.hasEnded = true;
    if (this.isIdle) this.changeIdle(false);
    super.watermark(MAX_WATERMARK);
  }

  override idle(_isIdle: boolean): void {
    // W1
  }

  private activate(): void {
    this.emissionPending = true;
    if (this.isIdle) this.changeIdle(false);
    this.timers.register(this.timers.now() + WATERMARK_INTERVAL_MS, (now) => this.emit(now));
  }

  private emit(now: number): void {
    this.emissionPending = false;
    this.lastActive = now;
    const watermark = this.eventTime.watermark();
    if (watermark > this.currentWatermark) super.watermark(watermark);
    this.scheduleIdleCheck();
  }

  private scheduleIdleCheck(): void {
    if (this.idlenessMs === null || this.idleTimerPending || this.isIdle) return;
    this.idleTimerPending = true;
    this.timers.register(this.lastActive + this.idlenessMs, (now) => this.checkIdle(now));
  }

  private checkIdle(now: number): void {
    this.idleTimerPending = false;
    if (this.hasEnded || this.idlenessMs === null) return;
    if (this.emissionPending) return; // an element came within the last 200 ms; `emit` checks again
    if (now - this.lastActive >= this.idlenessMs) this.changeIdle(true);
    else this.scheduleIdleCheck();
  }

  private changeIdle(isIdle: boolean): void {
    this.isIdle = isIdle;
    this.output.idle(isIdle);
  }
}
