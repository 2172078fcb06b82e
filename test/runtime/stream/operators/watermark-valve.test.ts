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

  test('an idle stream beside streams that are over keeps the end of time away', () => {
    const { valve: v, take } = valve(2);
    v.watermark(1, 7);
    v.watermark(0, Infinity);
    expect(take()).toEqual([7]);
    v.idle(1, true);
    v.end(0);
    expect(take()).toEqual([true]);
    v.idle(1, false);
    v.watermark(1, 9);
    v.watermark(1, Infinity);
    expect(take()).toEqual([false, 9, Infinity]);
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
