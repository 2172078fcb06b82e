import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowOperation } from '../../../../src/api/transformations.ts';
import type { WindowFunction } from '../../../../src/api/functions.ts';
import { EndOfStreamWindows, TumblingEventTimeWindows } from '../../../../src/api/windows.ts';
import { types } from '../../../../src/api/types.ts';
import { openChain } from '../operators/chains.ts';
import { naiveTumbling } from './naive-tumbling.ts';
import type { Step } from './naive-tumbling.ts';

interface Item {
  readonly key: string;
  readonly n: number;
}

const sum: WindowOperation['contents'] = {
  kind: 'aggregate',
  fn: {
    createAccumulator: () => 0,
    add: (item: Item, acc: number) => acc + item.n,
    getResult: (acc: number) => acc,
    merge: (a: number, b: number) => a + b,
  },
};

const withKey: WindowFunction<number, unknown, string | null> = (key, window, values, out) => {
  out.collect({ key, start: window.start, end: window.end, values: [...values] });
};

const byKey = { selector: (item: Item) => item.key, type: types.string };

function window(overrides: Partial<WindowOperation> = {}): WindowOperation {
  return {
    kind: 'window',
    assigner: TumblingEventTimeWindows.of(10),
    allowedLatenessMs: 0,
    key: byKey,
    contents: sum,
    windowFunction: null,
    ...overrides,
  };
}

const open = (overrides: Partial<WindowOperation> = {}) =>
  openChain([{ id: 'win', operation: window(overrides) }]);

describe('tumbling event-time windows', () => {
  test('fire when the watermark reaches end - 1, with that as timestamp, before the watermark', async () => {
    const { input, output } = await open();
    input.record({ key: 'a', n: 1 }, 0);
    input.record({ key: 'a', n: 2 }, 9);
    input.watermark(8);
    expect(output.take()).toEqual([{ watermark: 8 }]);
    input.record({ key: 'a', n: 4 }, 9);
    input.watermark(9);
    expect(output.take()).toEqual([{ value: 7, timestamp: 9 }, { watermark: 9 }]);
    input.watermark(10);
    expect(output.take()).toEqual([{ watermark: 10 }]);
  });

  test('fire in order of end, keys in order of their first record', async () => {
    const { input, output } = await open({ windowFunction: withKey });
    for (const [key, timestamp] of [
      ['b', 25],
      ['b', 5],
      ['a', 25],
      ['c', 15],
      ['a', 5],
      ['b', 6],
    ] as const) {
      input.record({ key, n: 1 }, timestamp);
    }
    input.watermark(30);
    const at = (key: string, start: number, n: number) => ({
      value: { key, start, end: start + 10, values: [n] },
      timestamp: start + 9,
    });
    expect(output.take()).toEqual([
      at('b', 0, 2),
      at('a', 0, 1),
      at('c', 10, 1),
      at('b', 20, 1),
      at('a', 20, 1),
      { watermark: 30 },
    ]);
  });

  test.each([
    { offset: 0, timestamp: -1, start: -10 },
    { offset: 0, timestamp: -10, start: -10 },
    { offset: 3, timestamp: 2, start: -7 },
    { offset: 3, timestamp: 3, start: 3 },
    { offset: 3, timestamp: 12.5, start: 3 },
    { offset: 13, timestamp: 13, start: 13 },
    { offset: 0, timestamp: 8.64e15 - 1, start: 8.64e15 - 10 },
  ])(
    'window of $timestamp with offset $offset starts at $start',
    async ({ offset, timestamp, start }) => {
      const assigner = TumblingEventTimeWindows.of(10, offset);
      const { input, output } = await open({ assigner, windowFunction: withKey });
      input.record({ key: 'a', n: 1 }, timestamp);
      input.watermark(Infinity);
      expect(output.values()).toEqual([{ key: 'a', start, end: start + 10, values: [1] }]);
    },
  );

  test('a huge timestamp just before a boundary stays in the window before it', async () => {
    const assigner = TumblingEventTimeWindows.of('1d');
    const { input, output } = await open({ assigner, windowFunction: withKey });
    input.record({ key: 'a', n: 1 }, 8.64e15 - 1);
    input.watermark(Infinity);
    expect(output.values()).toMatchObject([{ start: 8.64e15 - 86_400_000, end: 8.64e15 }]);
  });

  test('late records are dropped and counted', async () => {
    const { input, output, chain } = await open();
    input.record({ key: 'a', n: 1 }, 5);
    input.watermark(9);
    output.take();
    input.record({ key: 'a', n: 2 }, 9);
    input.record({ key: 'new', n: 2 }, 0);
    input.record({ key: 'a', n: 4 }, 10);
    expect(chain.metrics.lateRecords).toBe(2);
    input.watermark(Infinity);
    expect(output.take()).toEqual([{ value: 4, timestamp: 19 }, { watermark: Infinity }]);
    input.record({ key: 'a', n: 1 }, 1e9);
    expect(chain.metrics.lateRecords).toBe(3);
  });

  test('with allowed lateness a late record fires its key again with all that is kept', async () => {
    const { input, output, chain } = await open({ allowedLatenessMs: 5, windowFunction: withKey });
    input.record({ key: 'a', n: 1 }, 5);
    input.record({ key: 'b', n: 1 }, 5);
    input.watermark(9);
    output.take();
    input.record({ key: 'a', n: 2 }, 1);
    input.record({ key: 'c', n: 7 }, 2);
    expect(output.values()).toEqual([
      { key: 'a', start: 0, end: 10, values: [3] },
      { key: 'c', start: 0, end: 10, values: [7] },
    ]);
    output.take();
    input.watermark(13);
    input.record({ key: 'b', n: 2 }, 1);
    expect(output.take()).toMatchObject([
      { watermark: 13 },
      { value: { key: 'b', values: [3] }, timestamp: 9 },
    ]);
    input.watermark(14);
    input.record({ key: 'b', n: 2 }, 1);
    expect(output.take()).toEqual([{ watermark: 14 }]);
    expect(chain.metrics.lateRecords).toBe(1);
  });

  test('a window that is made after its time but within the lateness fires at each record', async () => {
    const { input, output, chain } = await open({ allowedLatenessMs: 20 });
    input.record({ key: 'a', n: 1 }, 25);
    input.watermark(22);
    output.take();
    input.record({ key: 'a', n: 1 }, 5);
    input.record({ key: 'a', n: 2 }, 15);
    input.record({ key: 'a', n: 4 }, 6);
    expect(output.take()).toEqual([
      { value: 1, timestamp: 9 },
      { value: 2, timestamp: 19 },
      { value: 5, timestamp: 9 },
    ]);
    input.watermark(29);
    expect(output.take()).toEqual([{ value: 1, timestamp: 29 }, { watermark: 29 }]);
    input.record({ key: 'a', n: 1 }, 5);
    expect(chain.metrics.lateRecords).toBe(1);
    input.record({ key: 'a', n: 8 }, 14);
    expect(output.take()).toEqual([{ value: 10, timestamp: 19 }]);
  });

  test.each([-Infinity, Infinity, NaN])(
    'a record with timestamp %s is refused',
    async (timestamp) => {
      const { input, chain } = await open();
      let error: unknown;
      try {
        input.record({ key: 'a', n: 1 }, timestamp);
      } catch (thrown) {
        error = thrown;
      }
      expect(String(error)).toMatch(
        /without a timestamp .*'win'.*give the source a watermark strategy/s,
      );
      expect(chain.failedOperator(error)).toBe('win');
    },
  );
});

describe('contents', () => {
  const items: readonly [string, number][] = [
    ['a', 1],
    ['b', 10],
    ['a', 2],
  ];
  const reduce: WindowOperation['contents'] = {
    kind: 'reduce',
    fn: (a: Item, b: Item) => ({ key: a.key, n: a.n * 100 + b.n }),
  };
  const single = (value: unknown) => [value];

  test.each<[string, Partial<WindowOperation>, unknown[]]>([
    ['aggregate', { contents: sum }, [3, 10]],
    [
      'reduce',
      { contents: reduce },
      [
        { key: 'a', n: 102 },
        { key: 'b', n: 10 },
      ],
    ],
    [
      'reduce with window function',
      { contents: reduce, windowFunction: (key, _w, values, out) => out.collect([key, ...values]) },
      [
        ['a', { key: 'a', n: 102 }],
        ['b', { key: 'b', n: 10 }],
      ],
    ],
    [
      'elements',
      {
        contents: { kind: 'elements' },
        windowFunction: (key, _w, values, out) => {
          out.collect(key);
          for (const value of values) out.collect(value.n);
        },
      },
      ['a', 1, 2, 'b', 10],
    ],
    [
      'aggregate of all keys',
      {
        key: null,
        windowFunction: (key, w, values, out) => out.collect([key, w.start, ...values]),
      },
      single([null, 0, 13]),
    ],
    ['window function that emits nothing', { windowFunction: () => {} }, []],
  ])('%s', async (_name, overrides, expected) => {
    const { input, output } = await open(overrides);
    for (const [key, n] of items) input.record({ key, n }, 5);
    input.watermark(Infinity);
    expect(output.values()).toEqual(expected);
  });

  test('elements without a window function are refused when the chain is made', async () => {
    await expect(open({ contents: { kind: 'elements' } })).rejects.toThrow(
      /'win' .*no window function/,
    );
  });

  test('user functions that throw name the window', async () => {
    const boom = new Error('boom');
    const { input, chain } = await open({
      windowFunction: () => {
        throw boom;
      },
    });
    input.record({ key: 'a', n: 1 }, 5);
    expect(() => input.watermark(Infinity)).toThrow(boom);
    expect(chain.failedOperator(boom)).toBe('win');
  });
});

describe('keys', () => {
  const point = types.record({ x: types.int32, y: types.int32 });

  test('records are equal by value, and arrive as they were', async () => {
    const { input, output } = await open({
      key: { selector: (v: { at: unknown }) => v.at, type: point },
      contents: {
        kind: 'aggregate',
        fn: {
          createAccumulator: () => 0,
          add: (_v, n) => n + 1,
          getResult: (n) => n,
          merge: (a, b) => a + b,
        },
      },
      windowFunction: (key, _w, values, out) => out.collect([key, ...values]),
    });
    for (const [x, y] of [
      [1, 2],
      [2, 1],
      [1, 2],
    ]) {
      input.record({ at: { x, y } }, 5);
    }
    input.watermark(Infinity);
    expect(output.values()).toEqual([
      [{ x: 1, y: 2 }, 2],
      [{ x: 2, y: 1 }, 1],
    ]);
  });

  test('bigint keys are equal by value', async () => {
    const { input, output } = await open({
      key: { selector: (v: { id: bigint }) => v.id, type: types.int64 },
      contents: { kind: 'elements' },
      windowFunction: (key, _w, values, out) => out.collect([key, [...values].length]),
    });
    for (const id of [2n ** 60n, 3n, 2n ** 60n]) input.record({ id }, 5);
    input.watermark(Infinity);
    expect(output.values()).toEqual([
      [2n ** 60n, 2],
      [3n, 1],
    ]);
  });
});

describe('the window over the whole stream', () => {
  test('fires at the end of input, needs no timestamps, drops nothing', async () => {
    const { input, output, chain } = await open({
      assigner: EndOfStreamWindows.get(),
      windowFunction: withKey,
    });
    input.record({ key: 'a', n: 1 }, -Infinity);
    input.record({ key: 'b', n: 2 }, 5);
    input.watermark(1e15);
    input.record({ key: 'a', n: 4 }, 1);
    expect(output.take()).toEqual([{ watermark: 1e15 }]);
    input.watermark(Infinity);
    input.end();
    const all = { start: -Infinity, end: Infinity };
    expect(output.take()).toEqual([
      { value: { key: 'a', ...all, values: [5] }, timestamp: Infinity },
      { value: { key: 'b', ...all, values: [2] }, timestamp: Infinity },
      { watermark: Infinity },
      'end',
    ]);
    expect(chain.metrics.lateRecords).toBe(0);
  });

  test('without keys there is one result, and none of nothing', async () => {
    const whole = { assigner: EndOfStreamWindows.get(), key: null };
    const { input, output } = await open(whole);
    input.record({ key: 'a', n: 1 }, -Infinity);
    input.record({ key: 'b', n: 2 }, -Infinity);
    input.watermark(Infinity);
    expect(output.values()).toEqual([3]);
    const empty = await open(whole);
    empty.input.watermark(Infinity);
    expect(empty.output.values()).toEqual([]);
  });
});

test('whatever comes, windows hold what a naive implementation says', async () => {
  const record = fc.record({
    kind: fc.constant('record' as const),
    key: fc.constantFrom('a', 'b', 'c'),
    n: fc.integer({ min: -9, max: 9 }),
    timestamp: fc.integer({ min: -40, max: 120 }),
  });
  const watermark = fc.record({
    kind: fc.constant('watermark' as const),
    timestamp: fc.integer({ min: -40, max: 120 }),
  });
  const steps = fc.array(
    fc.oneof({ weight: 4, arbitrary: record }, { weight: 1, arbitrary: watermark }),
    {
      maxLength: 60,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 50 }),
      fc.constantFrom(0, 1, 7, 30),
      async (raw: Step[], size, offset, allowedLatenessMs) => {
        const assigner = TumblingEventTimeWindows.of(size, offset);
        const { input, output, chain } = await open({
          assigner,
          allowedLatenessMs,
          windowFunction: (key, w, values, out) =>
            out.collect({ key, start: w.start, sum: [...values][0] }),
        });
        let highest = -Infinity;
        const ascending = raw.filter((step) => {
          if (step.kind === 'record') return true;
          const advances = step.timestamp > highest;
          highest = Math.max(highest, step.timestamp);
          return advances;
        });
        for (const step of [...ascending, { kind: 'watermark', timestamp: Infinity } as const]) {
          if (step.kind === 'watermark') input.watermark(step.timestamp);
          else input.record({ key: step.key, n: step.n }, step.timestamp);
        }
        const expected = naiveTumbling(ascending, {
          size,
          offset: offset % size,
          allowedLatenessMs,
        });
        expect(output.values()).toEqual(expected.results);
        expect(chain.metrics.lateRecords).toBe(expected.late);
      },
    ),
    { numRuns: 500 },
  );
});
