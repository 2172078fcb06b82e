import { describe, expect, test } from 'vitest';
import { boundedOutOfOrderness } from '../../../../src/api/watermarks.ts';
import type { WatermarkOptions } from '../../../../src/api/watermarks.ts';
import { openChain } from './chains.ts';

const open = (options: WatermarkOptions = {}) => {
  const strategy = boundedOutOfOrderness<number>(10, (v) => v, options);
  return openChain([{ id: 'wm', operation: { kind: 'watermarks', strategy } }]);
};

describe('assignTimestampsAndWatermarks', () => {
  test('gives new timestamps, and a watermark every 200 ms while elements come', async () => {
    const { input, output, clock } = await open();
    input.record(100, 1);
    input.record(90, 2);
    expect(output.take()).toEqual([
      { value: 100, timestamp: 100 },
      { value: 90, timestamp: 90 },
    ]);
    clock.advance(199);
    expect(output.take()).toEqual([]);
    clock.advance(2);
    expect(output.take()).toEqual([{ watermark: 89 }]);
    expect(clock.pending).toBe(0);
    input.record(95, 0);
    clock.advance(202);
    expect(output.take()).toEqual([{ value: 95, timestamp: 95 }]);
    input.record(120, 0);
    clock.advance(202);
    expect(output.take()[1]).toEqual({ watermark: 109 });
  });

  test('drops watermarks and idleness from before, but for the end of input', async () => {
    const { input, output, clock } = await open();
    input.record(100, 1);
    input.watermark(5000);
    input.idle(true);
    input.idle(false);
    input.watermark(Infinity);
    input.end();
    clock.advance(1000);
    expect(output.take().slice(1)).toEqual([{ watermark: Infinity }, 'end']);
  });

  test('idle when no element comes, from the start or later', async () => {
    const { input, output, clock } = await open({ idleness: 1000 });
    clock.advance(1001);
    expect(output.take()).toEqual([{ idle: true }]);
    input.record(50, 0);
    expect(output.take()).toEqual([{ idle: false }, { value: 50, timestamp: 50 }]);
    clock.advance(202);
    expect(output.take()).toEqual([{ watermark: 39 }]);
    clock.advance(997);
    expect(output.take()).toEqual([]);
    clock.advance(3);
    expect(output.take()).toEqual([{ idle: true }]);
    input.watermark(Infinity);
    expect(output.take()).toEqual([{ idle: false }, { watermark: Infinity }]);
  });

  test.each([0, 100, 250])(
    'with an idleness of %s ms it still wakes up at every element',
    async (idleness) => {
      const { input, output, clock } = await open({ idleness });
      for (let i = 1; i <= 3; i++) {
        clock.advance(202);
        clock.advance(1000);
        expect(output.take().at(-1)).toEqual({ idle: true });
        input.record(i * 100, 0);
        expect(output.take()).toEqual([{ idle: false }, { value: i * 100, timestamp: i * 100 }]);
        input.record(0, 0);
        output.take();
      }
    },
  );

  test('an element just before the check keeps the stream active', async () => {
    const { input, output, clock } = await open({ idleness: 1000 });
    clock.advance(900);
    input.record(50, 0);
    clock.advance(100);
    expect(output.take()).toEqual([{ value: 50, timestamp: 50 }]);
    clock.advance(101);
    expect(output.take()).toEqual([{ watermark: 39 }]);
    clock.advance(998);
    expect(output.take()).toEqual([]);
    clock.advance(2);
    expect(output.take()).toEqual([{ idle: true }]);
  });

  test('not idle while elements come', async () => {
    const { input, output, clock } = await open({ idleness: 1000 });
    for (let i = 0; i < 20; i++) {
      input.record(i, 0);
      clock.advance(300);
    }
    expect(output.elements.filter((e) => typeof e === 'object' && 'idle' in e)).toEqual([]);
  });
});
