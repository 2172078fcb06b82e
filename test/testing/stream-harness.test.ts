import { describe, expect, test } from 'vitest';
import { types } from '../../src/api/types.ts';
import { boundedOutOfOrderness } from '../../src/api/watermarks.ts';
import { TumblingEventTimeWindows } from '../../src/api/windows.ts';
import { streamHarness } from '../../src/testing/stream-harness.ts';

const trade = types.record({ symbol: types.string, volume: types.int32 });
interface Trade {
  symbol: string;
  volume: number;
}

const volume = {
  createAccumulator: () => 0,
  add: (t: Trade, sum: number) => sum + t.volume,
  getResult: (sum: number) => sum,
  merge: (a: number, b: number) => a + b,
};

describe('stream harness', () => {
  test('stateless operators answer at once, with the timestamps of what went in', async () => {
    const harness = await streamHarness<number, string>((numbers) =>
      numbers
        .filter((n) => n % 2 === 0)
        .flatMap<string>((n, out, context) => {
          context.counter('even').add();
          out.collect(`${n}`);
          out.collect(`-${n}`);
        }),
    );
    harness.push(1, 10).push(2, 20).pushAll([3, 4]);
    expect(harness.takeTimestamped()).toEqual([
      { value: '2', timestamp: 20 },
      { value: '-2', timestamp: 20 },
      { value: '4', timestamp: -Infinity },
      { value: '-4', timestamp: -Infinity },
    ]);
    expect(harness.take()).toEqual([]);
    expect(harness.accumulators()).toEqual({ even: 2 });
  });

  test('keyed windows fire by watermarks and at the end; late elements are counted', async () => {
    const harness = await streamHarness<Trade, string>(
      (trades) =>
        trades
          .keyBy('symbol')
          .window(TumblingEventTimeWindows.of('1m'))
          .aggregate(volume, (key, window, [sum], out) =>
            out.collect(`${key}@${window.start}=${sum}`),
          ),
      { type: trade },
    );
    harness.push({ symbol: 'B', volume: 1 }, 1000).push({ symbol: 'A', volume: 2 }, 59_999);
    harness.push({ symbol: 'B', volume: 4 }, 0).push({ symbol: 'B', volume: 8 }, 60_000);
    expect(harness.currentWatermark).toBe(-Infinity);
    expect(harness.watermark(59_999).take()).toEqual(['B@0=5', 'A@0=2']);
    expect(harness.currentWatermark).toBe(59_999);
    harness.push({ symbol: 'A', volume: 1 }, 5);
    expect(harness.lateRecordsDropped).toBe(1);
    await harness.end();
    expect(harness.take()).toEqual(['B@60000=8']);
  });

  test('processing time moves when the test moves it', async () => {
    const harness = await streamHarness<number, number>((numbers) =>
      numbers.assignTimestampsAndWatermarks(
        boundedOutOfOrderness('1s', (n) => n, { idleness: '10s' }),
      ),
    );
    harness.push(5000);
    expect(harness.takeTimestamped()).toEqual([{ value: 5000, timestamp: 5000 }]);
    harness.clock.advance(199);
    expect(harness.currentWatermark).toBe(-Infinity);
    harness.clock.advance(1);
    expect(harness.currentWatermark).toBe(3999);
  });

  test('an element that does not fit its declared type fails as on a cluster', async () => {
    const harness = await streamHarness<Trade, Trade>(
      (trades) => trades.keyBy('symbol').reduce((a, b) => ({ ...b, volume: a.volume + b.volume })),
      { type: trade },
    );
    harness.push({ symbol: 'A', volume: 1 });
    expect(harness.take()).toEqual([{ symbol: 'A', volume: 1 }]);
    expect(() => harness.push({ symbol: 'A', volume: 1.5 })).toThrow(/volume/);
  });

  test('user exceptions come out unchanged', async () => {
    const boom = new RangeError('boom');
    const harness = await streamHarness<number, number>((numbers) =>
      numbers.map(() => {
        throw boom;
      }),
    );
    expect(() => harness.push(1)).toThrow(boom);
  });

  test('a builder that does not compile rejects', async () => {
    await expect(
      streamHarness<number, number>((numbers) =>
        numbers
          .map((n) => n)
          .uid('x')
          .filter(() => true)
          .uid('x'),
      ),
    ).rejects.toThrow(/same uid 'x'/);
  });
});
