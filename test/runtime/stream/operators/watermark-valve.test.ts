import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WatermarkValve } from '../../../../src/runtime/stream/operators/watermark-valve.ts';

function valve(streams: number) {
  const log: (number | boolean)[] = [];
  const made = new WatermarkValve(streams, {
    watermark: (timestamp) => void log.push(timestamp),
    idle: (isIdle) => void log.push(isIdle),
  });
  return { valve: made, take: () => log.splice(0) };
}

/** Flink's StatusWatermarkValve, without its heap. */
class FlinkValve {
  private readonly log: (number | boolean)[] = [];
  private readonly channels: { watermark: number; isIdle: boolean; isAligned: boolean }[];
  private last = -Infinity;
  private isIdle = false;

  constructor(channels: number) {
    this.channels = Array.from({ length: channels }, () => ({
      watermark: -Infinity,
      isIdle: false,
      isAligned: true,
    }));
  }

  watermark(index: number, timestamp: number): void {
    const channel = this.channels[index]!;
    if (this.isIdle || channel.isIdle || timestamp <= channel.watermark) return;
    channel.watermark = timestamp;
    if (timestamp >= this.last) channel.isAligned = true;
    this.newLowest();
  }

  status(index: number, isIdle: boolean): void {
    const channel = this.channels[index]!;
    if (channel.isIdle === isIdle) return;
    channel.isIdle = isIdle;
    if (!isIdle) {
      channel.isAligned = channel.watermark >= this.last;
      if (this.isIdle) this.log.push((this.isIdle = false));
      return;
    }
    channel.isAligned = false;
    const wasLowest = channel.watermark === this.last;
    if (this.channels.some((other) => !other.isIdle)) {
      if (wasLowest) this.newLowest();
      return;
    }
    if (wasLowest) this.emit(Math.max(...this.channels.map((other) => other.watermark)));
    this.log.push((this.isIdle = true));
  }

  isOver(index: number): boolean {
    return this.channels[index]!.watermark === Infinity;
  }

  /** Whether the end of time came although a stream is awake that it has not waited for. */
  leavesBehind(): boolean {
    const isLeft = (channel: (typeof this.channels)[number]) =>
      !channel.isIdle && !channel.isAligned && channel.watermark < Infinity;
    return this.last === Infinity && this.channels.some(isLeft);
  }

  take(): (number | boolean)[] {
    return this.log.splice(0);
  }

  private newLowest(): void {
    const aligned = this.channels.filter((channel) => channel.isAligned);
    if (aligned.length > 0) this.emit(Math.min(...aligned.map((channel) => channel.watermark)));
  }

  private emit(watermark: number): void {
    if (watermark > this.last) this.log.push((this.last = watermark));
  }
}

describe('watermark valve', () => {
  test('the lowest watermark of all streams', () => {
    const { valve: v, take } = valve(3);
    v.watermark(0, 10);
    v.watermark(1, 20);
    expect(take()).toEqual([]);
    v.watermark(2, 15);
    v.watermark(0, 12);
    v.watermark(0, 30);
    expect(take()).toEqual([10, 12, 15]);
  });

  test('a stream that wakes up behind what came out holds nobody back until it has caught up', () => {
    const { valve: v, take } = valve(2);
    v.watermark(0, 10);
    v.idle(1, true);
    expect(take()).toEqual([10]);
    v.idle(1, false);
    v.watermark(1, 5);
    v.watermark(0, 20);
    v.watermark(1, 15);
    v.watermark(0, 30);
    expect(take()).toEqual([20, 30]);
    v.watermark(1, 30);
    v.watermark(0, 40);
    expect(take()).toEqual([]);
    v.watermark(1, 35);
    expect(take()).toEqual([35]);
  });

  test('one that wakes up where it is not behind counts at once', () => {
    const { valve: v, take } = valve(2);
    v.watermark(0, 10);
    v.watermark(1, 12);
    v.idle(1, true);
    v.idle(1, false);
    v.watermark(0, 20);
    expect(take()).toEqual([10, 12]);
  });

  test('waking up brings no time of itself: the next watermark does', () => {
    const { valve: v, take } = valve(3);
    v.idle(1, true);
    v.idle(2, true);
    v.watermark(0, 0);
    v.idle(1, false); // behind
    v.idle(2, false);
    v.watermark(2, 1);
    v.idle(2, true);
    v.idle(0, true);
    take();
    v.idle(2, false);
    expect(take()).toEqual([]);
    v.idle(0, false);
    v.watermark(0, 2);
    expect(take()).toEqual([1]);
  });

  test('alone behind what came out, it moves nothing, awake or idle again', () => {
    const { valve: v, take } = valve(2);
    v.watermark(0, 10);
    v.idle(1, true);
    v.watermark(0, 80);
    v.idle(1, false);
    v.watermark(1, 50);
    v.idle(0, true);
    expect(take()).toEqual([10, 80]);
    v.idle(1, true);
    expect(take()).toEqual([true]);
  });

  test('when all are idle, the highest comes out and the stream is idle', () => {
    const { valve: v, take } = valve(2);
    v.watermark(0, 10);
    v.watermark(1, 30);
    v.idle(1, true);
    v.idle(0, true);
    expect(take()).toEqual([10, 30, true]);
    v.watermark(0, 40);
    v.idle(0, false);
    expect(take()).toEqual([false]);
    v.watermark(0, 50);
    expect(take()).toEqual([50]);
  });

  test('an idle stream does not hold back the end of time beside streams that are over', () => {
    const { valve: v, take } = valve(2);
    v.watermark(1, 7);
    v.watermark(0, Infinity);
    expect(take()).toEqual([7]);
    v.idle(1, true);
    expect(take()).toEqual([Infinity]);
    v.end(0);
    v.idle(1, false);
    v.watermark(1, 9);
    v.watermark(1, Infinity);
    expect(take()).toEqual([]);
  });

  test('nor does one that is idle before the last of the others is over', () => {
    const { valve: v, take } = valve(3);
    v.idle(2, true);
    v.watermark(0, 5);
    v.watermark(1, Infinity);
    v.end(1);
    expect(take()).toEqual([5]);
    v.watermark(0, Infinity);
    expect(take()).toEqual([Infinity]);
  });

  test('one that is awake and has not caught up does', () => {
    const { valve: v, take } = valve(2);
    v.watermark(0, 10);
    v.idle(1, true);
    v.watermark(0, 20);
    v.idle(1, false);
    v.watermark(1, 15);
    v.watermark(0, Infinity);
    expect(take()).toEqual([10, 20]);
    v.watermark(1, 25);
    v.end(1);
    expect(take()).toEqual([25, Infinity]);
  });

  test('it does what Flink does, but for streams that are awake and behind when others end', () => {
    const stream = fc.nat(2);
    const timestamp = fc.oneof(
      { weight: 9, arbitrary: fc.nat(9) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    const action = fc.oneof(
      fc.record({ stream, watermark: timestamp }),
      fc.record({ stream, idle: fc.boolean() }),
    );
    let compared = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 10, maxLength: 40 }), (actions) => {
        const { valve: v, take } = valve(3);
        const flink = new FlinkValve(3);
        for (const step of actions) {
          if (flink.isOver(step.stream)) continue; // nothing comes after the highest watermark
          if ('idle' in step) {
            v.idle(step.stream, step.idle);
            flink.status(step.stream, step.idle);
          } else {
            v.watermark(step.stream, step.watermark);
            flink.watermark(step.stream, step.watermark);
          }
          if (flink.leavesBehind()) return;
          expect(take()).toEqual(flink.take());
          compared++;
        }
      }),
    );
    expect(compared).toBeGreaterThan(500);
  });

  test('watermarks never decrease and never pass a live, active stream that was always active', () => {
    const action = fc.oneof(
      fc.record({ stream: fc.nat(2), watermark: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ stream: fc.integer({ min: 1, max: 2 }), idle: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 50 }), (actions) => {
        const { valve: v, take } = valve(3);
        let first = -Infinity;
        let last = -Infinity;
        for (const step of actions) {
          if ('idle' in step) v.idle(step.stream, step.idle);
          else {
            v.watermark(step.stream, step.watermark);
            if (step.stream === 0) first = Math.max(first, step.watermark);
          }
          for (const out of take()) {
            expect(typeof out).toBe('number');
            expect(out).toBeGreaterThan(last);
            expect(out).toBeLessThanOrEqual(first);
            last = out as number;
          }
        }
      }),
    );
  });
});
