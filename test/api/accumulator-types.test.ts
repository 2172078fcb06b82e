/** Declared types of what windows keep: inferred, and refused like those of records. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type AggregateFunction,
  CollectionSource,
  type DataStream,
  DiscardSink,
  EndOfStreamWindows,
  type StreamExecutionEnvironment,
  type TypeOf,
  defineJob,
  types,
} from '../../src/api/index.ts';
import { compileJob } from '../../src/graph/compile.ts';
import { streamHarness, testJob } from '../../src/testing/index.ts';

const mean = types.record({ sum: types.double, count: types.int32 });
type Mean = TypeOf<typeof mean>;

const average: AggregateFunction<number, Mean, number> = {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  add: (value, { sum, count }) => ({ sum: sum + value, count: count + 1 }),
  getResult: ({ sum, count }) => sum / count,
  merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
};

const ofAll = (stream: DataStream<number>) =>
  stream.keyBy((n) => n % 2).window(EndOfStreamWindows.get());

/** Counts by halves: no int32. */
const byHalves = {
  ...average,
  add: (_: number, acc: Mean) => ({ ...acc, count: acc.count + 0.5 }),
};

describe('the type of an accumulator', () => {
  test('is that of the aggregate function; others do not compile', async () => {
    const harness = await streamHarness<number, number>((stream) => {
      const averages = ofAll(stream).aggregate(average, {
        accumulator: mean,
        type: types.double,
      });
      expectTypeOf(averages).toEqualTypeOf<DataStream<number>>();
      // @ts-expect-error: an accumulator is no text
      ofAll(stream).aggregate(average, { accumulator: types.string });
      const texts = ofAll(stream).aggregate(
        average,
        (key, _window, [value], out) => out.collect(`${key}: ${value}`),
        { accumulator: mean, type: types.string },
      );
      expectTypeOf(texts).toEqualTypeOf<DataStream<string>>();
      return averages;
    });
    harness.pushAll([1, 2, 3, 6]);
    await harness.end();
    expect(harness.take()).toEqual([2, 4]);
  });

  test.each(['encoded', 'same-slot'] as const)(
    'is refused for another value, when it is kept first: %s',
    async (layout) => {
      const harness = await streamHarness<number, number>(
        (stream) => ofAll(stream).aggregate(byHalves, { accumulator: mean }),
        { layout },
      );
      expect(() => harness.push(1)).toThrow(/^the accumulator: .*count.*expected int32.*0\.5/);
    },
  );

  test('is refused when it is used for a result', async () => {
    const grown = {
      ...average,
      add: (_: number, acc: Mean) => ({ ...acc, count: 2 ** 30 + acc.count }),
    };
    const job = defineJob('grown', (env: StreamExecutionEnvironment) => {
      ofAll(env.fromSource(CollectionSource.of([1, 3, 5])))
        .aggregate(grown, (_key, _window, [value], out) => out.collect(value), {
          accumulator: mean,
        })
        .sinkTo(DiscardSink.create());
    });
    await expect(testJob(job)).rejects.toThrow(/^the accumulator: .*count.*expected int32/);
  });

  test('counts for the hash of the graph', () => {
    const hashOf = (options: { accumulator?: typeof mean }) => {
      const builder = (env: StreamExecutionEnvironment) =>
        void ofAll(env.fromSource(CollectionSource.of([1])))
          .aggregate(average, options)
          .sinkTo(DiscardSink.create());
      const job = { name: 'hash', args: null, builder };
      return compileJob(job, {}, { bundleHash: '0'.repeat(64), parallelism: 1 }).graph.hash;
    };
    expect(hashOf({ accumulator: mean })).toBe(hashOf({ accumulator: mean }));
    expect(hashOf({ accumulator: mean })).not.toBe(hashOf({}));
  });
});

test('a reduced value that is not of the type of the elements is refused, before a window function sees it', async () => {
  const harness = await streamHarness<number, number>(
    (stream) =>
      ofAll(stream).reduce(
        (a, b) => a + b + 0.5,
        (_key, _window, [value], out) => out.collect(value!),
      ),
    { type: types.int32 },
  );
  harness.pushAll([1, 3]);
  await expect(harness.end()).rejects.toThrow(/^the reduced value: expected int32.*4\.5/);
});
