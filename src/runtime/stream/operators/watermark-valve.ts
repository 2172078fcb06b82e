/**
 * One watermark and one idleness for several streams that flow together, as Flink's
 * StatusWatermarkValve: the watermark is the lowest of the streams that are neither idle nor over. A
 * stream is over when it has ended or is at the highest watermark.
 *
 * L1  What comes out never decreases. A stream that wakes up behind the others does not take it back.
 * L2  When all streams that are not over are idle, their highest watermark comes out: nothing holds it
 *     back.
 * L3  The highest watermark comes out when all streams are over, and not before: one idle stream beside
 *     ended ones may still wake up.
 */
import { MAX_WATERMARK, NO_TIMESTAMP } from '../../../api/source.ts';

interface Stream {
  watermark: number;
  isIdle: boolean;
  hasEnded: boolean;
}

export interface ValveOutput {
  watermark(timestamp: number): void;
  idle(isIdle: boolean): void;
}

export class WatermarkValve {
  private readonly streams: readonly Stream[];
  private readonly output: ValveOutput;
  private current: number = NO_TIMESTAMP;
  private isIdle = false;

  constructor(streams: number, output: ValveOutput) {
    this.streams = Array.from({ length: streams }, () => ({
      watermark: NO_TIMESTAMP,
      isIdle: false,
      hasEnded: false,
    }));
    this.output = output;
  }

  watermark(stream: number, timestamp: number): void {
    const state = this.streams[stream]!;
    if (timestamp <= state.watermark) return;
    state.watermark = timestamp;
    this.update();
  }

  idle(stream: number, isIdle: boolean): void {
    this.streams[stream]!.isIdle = isIdle;
    this.update();
  }

  /** The stream no longer counts. */
  end(stream: number): void {
    this.streams[stream]!.hasEnded = true;
    this.update();
  }

  private update(): void {
    let lowestActive: number = MAX_WATERMARK;
    let highestLive: number = NO_TIMESTAMP;
    let live = 0;
    let active = 0;
    for (const { watermark, isIdle, hasEnded } of this.streams) {
      if (hasEnded || watermark === MAX_WATERMARK) continue; // L3
      live++;
      if (watermark > highestLive) highestLive = watermark;
      if (isIdle) continue;
      active++;
      if (watermark < lowestActive) lowestActive = watermark;
    }
    const isIdle = live > 0 && active === 0;
    if (this.isIdle && !isIdle) this.changeIdle(false);
    if (active > 0) this.advance(lowestActive);
    else this.advance(live > 0 ? highestLive : MAX_WATERMARK); // L2, L3
    if (isIdle && !this.isIdle) this.changeIdle(true);
  }

  private advance(timestamp: number): void {
    if (timestamp <= this.current) return; // L1
    this.current = timestamp;
    this.output.watermark(timestamp);
  }

  private changeIdle(isIdle: boolean): void {
    this.isIdle = isIdle;
    this.output.idle(isIdle);
  }
}
