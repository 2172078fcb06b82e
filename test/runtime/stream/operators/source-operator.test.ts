import { describe, expect, test } from 'vitest';
import { PollStatus } from '../../../../src/api/source.ts';
import { boundedOutOfOrderness, monotonousTimestamps } from '../../../../src/api/watermarks.ts';
import { ScriptedSource, emits, openChain } from './chains.ts';
import type { WatermarkStrategy } from '../../../../src/api/watermarks.ts';

const { more, wait, needSplit, end } = PollStatus;
const identity = (v: number) => v;

async function sourceChain(source: ScriptedSource, watermarks: WatermarkStrategy<number> | null) {
  const built = await openChain([
    { id: 'src', operation: { kind: 'source', source, watermarks } },
    { id: 'm', operation: { kind: 'map', fn: identity } },
  ]);
  return { ...built, source: built.chain.source! };
}

describe('source', () => {
  test('passes splits to the reader, and what polls say to the host', async () => {
    const reader = new ScriptedSource([
      emits([], needSplit),
      emits([1, 2], more),
      emits([3], needSplit),
      emits([], wait),
    ]);
    const { source, output, chain, input } = await sourceChain(reader, null);
    expect(input).toBeUndefined();
    expect(source.operatorId).toBe('src');
    expect(source.poll(10)).toBe(needSplit);
    source.addSplit({ id: 'a', offset: 3 });
    expect(reader.splits).toEqual([{ id: 'a', offset: 3 }]);
    expect(source.poll(10)).toBe(more);
    expect(source.poll(10)).toBe(needSplit);
    source.noMoreSplits();
    expect(source.poll(10)).toBe(wait);
    await source.available();
    expect(output.values()).toEqual([1, 2, 3]);
    expect(source.poll(10)).toBe(end);
    expect(output.take().slice(3)).toEqual([{ watermark: Infinity }, 'end']);
    expect(source.poll(10)).toBe(end);
    expect(output.take()).toEqual([]);
    expect(chain.metrics.recordsIn).toBe(3);
    expect(reader.log).toEqual(['noMoreSplits']);
    await chain.finish();
    expect(reader.log).toEqual(['noMoreSplits', 'close']);
  });

  test('gives timestamps, and a watermark after each batch that advanced it', async () => {
    const reader = new ScriptedSource([
      emits([10, 30, 20], more),
      emits([25, 30], more),
      emits([40], more),
    ]);
    const { source, output, chain } = await sourceChain(reader, boundedOutOfOrderness(5, identity));
    expect(chain.currentWatermark).toBe(-Infinity);
    source.poll(10);
    expect(output.take()).toEqual([
      { value: 10, timestamp: 10 },
      { value: 30, timestamp: 30 },
      { value: 20, timestamp: 20 },
      { watermark: 24 },
    ]);
    expect(chain.currentWatermark).toBe(24);
    source.poll(10);
    expect(output.take().slice(2)).toEqual([]);
    source.poll(10);
    expect(output.take()).toEqual([{ value: 40, timestamp: 40 }, { watermark: 34 }]);
    source.poll(10);
    expect(output.take()).toEqual([{ watermark: Infinity }, 'end']);
    expect(chain.currentWatermark).toBe(Infinity);
  });

  test('keeps the timestamps of the reader when there is no strategy', async () => {
    const reader = new ScriptedSource([
      (out) => {
        out.emit('a', 99);
        return more;
      },
    ]);
    const { source, output } = await sourceChain(reader, null);
    source.poll(10);
    expect(output.take()).toEqual([{ value: 'a', timestamp: 99 }]);
  });

  test.each([NaN, undefined, Infinity, '2024-01-01', 5n])(
    'a timestamp function that returns %s fails with the name of the source',
    async (bad) => {
      const reader = new ScriptedSource([emits([1], more)]);
      const strategy = monotonousTimestamps(() => bad as number);
      const { source, chain } = await sourceChain(reader, strategy);
      let error: unknown;
      try {
        source.poll(10);
      } catch (thrown) {
        error = thrown;
      }
      expect(String(error)).toMatch(/strategy of 'src' returned .*epoch milliseconds/);
      expect(chain.failedOperator(error)).toBe('src');
    },
  );

  test('a reader that fails is the failing operator; an operator behind it stays it', async () => {
    const bad = new Error('line 7: not CSV');
    const reader = new ScriptedSource([
      () => {
        throw bad;
      },
    ]);
    const { source, chain } = await sourceChain(reader, null);
    expect(() => source.poll(1)).toThrow(bad);
    expect(chain.failedOperator(bad)).toBe('src');
    reader.availability = Promise.reject(bad);
    await expect(source.available()).rejects.toBe(bad);
  });

  test('skipped records are counted', async () => {
    const reader = new ScriptedSource([]);
    const create = reader.createReader.bind(reader);
    let skip: () => void = () => {};
    reader.createReader = (context?: { skipped(): void }) => {
      skip = () => context!.skipped();
      return create();
    };
    const { chain } = await sourceChain(reader, null);
    skip();
    skip();
    expect(chain.metrics.skippedRecords).toBe(2);
  });
});

describe('idleness', () => {
  const strategy = boundedOutOfOrderness<number>(0, identity, { idleness: '1s' });

  test('a source that finds nothing for long enough is idle until a record comes', async () => {
    const reader = new ScriptedSource([
      emits([1], wait),
      emits([], wait),
      emits([], wait),
      emits([2, 3], wait),
      emits([], wait),
    ]);
    const { source, output, clock } = await sourceChain(reader, strategy);
    source.poll(10);
    output.take();
    clock.advance(999);
    source.poll(10);
    expect(output.take()).toEqual([]);
    clock.advance(2);
    expect(output.take()).toEqual([{ idle: true }]);
    source.poll(10);
    clock.advance(5000);
    expect(output.take()).toEqual([]);
    source.poll(10);
    expect(output.take()).toEqual([
      { idle: false },
      { value: 2, timestamp: 2 },
      { value: 3, timestamp: 3 },
      { watermark: 2 },
    ]);
    clock.advance(999);
    expect(output.take()).toEqual([]);
    clock.advance(2);
    expect(output.take()).toEqual([{ idle: true }]);
  });

  test('a record starts the time again', async () => {
    const reader = new ScriptedSource([emits([], wait), emits([5], wait), emits([], wait)]);
    const { source, output, clock } = await sourceChain(reader, strategy);
    source.poll(10);
    clock.advance(900);
    source.poll(10);
    output.take();
    clock.advance(100);
    expect(output.take()).toEqual([]);
    clock.advance(902);
    expect(output.take()).toEqual([{ idle: true }]);
  });

  test('back pressure is not idleness: a reader with something to read that is not polled', async () => {
    const reader = new ScriptedSource([emits([], wait), emits([], wait), emits([5], more)]);
    const { source, output, clock } = await sourceChain(reader, strategy);
    source.poll(10);
    await source.available();
    clock.advance(5000);
    expect(output.take()).toEqual([]);
    // It was woken for nothing: the time that passed counts.
    source.poll(10);
    clock.advance(1);
    expect(output.take()).toEqual([{ idle: true }]);
    source.poll(10);
    expect(output.take()[0]).toEqual({ idle: false });
    clock.advance(60_000);
    expect(output.take()).toEqual([]);
  });

  test('waiting for a split is idleness; an idle source that ends wakes up first', async () => {
    const reader = new ScriptedSource([emits([], needSplit)]);
    const { source, output, clock } = await sourceChain(reader, strategy);
    source.poll(10);
    clock.advance(1001);
    expect(output.take()).toEqual([{ idle: true }]);
    source.noMoreSplits();
    source.poll(10);
    expect(output.take()).toEqual([{ idle: false }, { watermark: Infinity }, 'end']);
    clock.advance(10_000);
    expect(output.take()).toEqual([]);
  });
});
