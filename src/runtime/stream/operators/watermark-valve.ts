/**
 * One watermark and one idleness for several streams that flow together, as Flink's StatusWatermarkValve: the
 * watermark is the lowest of the streams that count. A stream is over when it has ended or is at the highest
 * watermark; it counts when it is not over, not idle, and aligned.
 *
 * L1  What comes out never decreases. A stream that wakes up behind it is not aligned, and so holds nobody
 *     back, until its watermark has caught up.
 * L2  When the last stream that counts becomes idle, nothing holds the others back any more: the highest
 *     watermark of those that are not over comes out.
 * L3  A stream that is over holds nobody back, and no idle one does: the highest watermark comes out when none
 *     but idle streams are left beside those that are over, as in Flink. What an idle one brings later is late.
 *     A stream that is awake but not aligned still brings time, so that its end is waited for. (Flink's is not.)
 * L4  Watermarks of an idle stream are ignored.
 */
import { MAX_WATERMARK, NO_TIMESTAMP } from '../../../api/source.ts';

interface Stream {
  watermark: number;
  isIdle: boolean;
  /** Has never been behind what came out, or has caught up since (L1). */
  isAligned: boolean;
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
      isAligned: true,
      hasEnded: false,
    }));
    this.output = output;
  }

  watermark(stream: number, timestamp: number): void {
    const state = this.streams[stream]!;
    if (state.isIdle || timestamp <= state.watermark) return; // L4
    state.watermark = timestamp;
    if (timestamp >= this.current) state.isAligned = true; // L1
    this.update(true);
  }

  idle(stream: number, isIdle: boolean): void {
    const state = this.streams[stream]!;
    if (state.isIdle === isIdle) return;
    const isHolding = state.isAligned && state.watermark === this.current;
    state.isIdle = isIdle;
    state.isAligned = !isIdle && state.watermark >= this.current;
    if (isIdle) this.update(isHolding);
    else if (this.isIdle) this.changeIdle(false); // its next watermark brings time
  }

  /** The stream no longer counts. */
  end(stream: number): void {
    this.streams[stream]!.hasEnded = true;
    this.update(true);
  }

  /** @param isReleased whether what held the others back has moved; a stream that did not moves nothing by becoming idle. */
  private update(isReleased: boolean): void {
    let lowest: number = MAX_WATERMARK;
    let highest: number = NO_TIMESTAMP;
    let live = 0;
    let active = 0;
    let aligned = 0;
    for (const { watermark, isAligned, isIdle, hasEnded } of this.streams) {
      if (hasEnded || watermark === MAX_WATERMARK) continue; // L3
      live++;
      if (watermark > highest) highest = watermark;
      if (isIdle) continue;
      active++;
      if (!isAligned) continue;
      aligned++;
      if (watermark < lowest) lowest = watermark;
    }
    const isOver = active === 0 && live < this.streams.length; // L3
    const isIdle = active === 0 && !isOver;
    if (this.isIdle && !isIdle) this.changeIdle(false);
    if (isOver) this.advance(MAX_WATERMARK);
    else if (isReleased && aligned > 0) this.advance(lowest);
    else if (isReleased && isIdle) this.advance(highest); // L2
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
