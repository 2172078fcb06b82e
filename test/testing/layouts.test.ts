/** What functions do with the records they get and emit makes no difference for anybody else, in any layout. */
import { describe, expect, test } from 'vitest';
import {
  CollectionSource,
  type DataStream,
  DiscardSink,
  EndOfStreamWindows,
  FileSink,
  type Sink,
  type SinkWriter,
  type StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  type TypeOf,
  defineJob,
  monotonousTimestamps,
  types,
} from '../../src/api/index.ts';
import { testJob } from '../../src/testing/index.ts';

const entry = types.record({ k: types.string, n: types.int32 });
type Entry = TypeOf<typeof entry>;
const entries: readonly Entry[] = [
  { k: 'a', n: 1 },
  { k: 'a', n: 2 },
  { k: 'b', n: 10 },
  { k: 'a', n: 3 },
];

let jobs = 0;
/** Runs it in both layouts and compares; sinks are called by their uid. */
function run(builder: (env: StreamExecutionEnvironment, source: DataStream<Entry>) => void) {
  const job = defineJob(`layouts ${jobs++}`, (env) =>
    builder(env, env.fromSource(CollectionSource.of(entries, { type: entry }))),
  );
  return testJob(job, undefined, { layout: 'both' });
}

const keep = <T>(stream: DataStream<T>, uid: string) =>
  stream.sinkTo(DiscardSink.create<T>()).uid(uid);

/** With a declared type, and without one. */
const typings = [
  ['of a declared type', { type: entry }],
  ['without a declared type', {}],
] as const;

describe.each(typings)('records %s', (_name, typing) => {
  const timesHundred = (x: Entry): Entry => {
    x.n *= 100;
    return x;
  };

  test('that one of two consumers changes are not changed for the other', async () => {
    const result = await run((_env, source) => {
      const rows = source.map((x) => x, typing);
      keep(rows.map(timesHundred, typing), 'cents');
      keep(
        rows.filter((x) => x.n < 100),
        'units',
      );
      keep(rows.map(timesHundred, typing), 'again');
      keep(rows.rebalance().map(timesHundred, typing), 'elsewhere');
    });
    for (const uid of ['cents', 'again', 'elsewhere']) {
      expect(result.collected<Entry>(uid).map(({ n }) => n)).toEqual([100, 200, 1000, 300]);
    }
    expect(result.collected<Entry>('units').map(({ n }) => n)).toEqual([1, 2, 10, 3]);
  });

  test('that a reduce keeps and adds into leave it as they were', async () => {
    const result = await run((_env, source) => {
      const totals = source
        .map((x) => x, typing)
        .keyBy((x) => x.k)
        .reduce((a, b) => {
          a.n += b.n;
          return a;
        });
      keep(totals.map(timesHundred, typing), 'chained');
      keep(
        totals.rebalance().map((x) => `${x.k}=${x.n}`, { type: types.string }),
        'apart',
      );
    });
    expect(result.collected<Entry>('chained').map(({ n }) => n)).toEqual([100, 300, 1000, 600]);
    expect(result.collected('apart')).toEqual(['a=1', 'a=3', 'b=10', 'a=6']);
  });

  test('that a function emits in one and the same object, or twice, are several', async () => {
    const result = await run((_env, source) => {
      const reused: Entry = { k: '', n: 0 };
      const emitted = source.flatMap<Entry>((x, out) => {
        reused.k = x.k;
        reused.n = x.n;
        out.collect(reused);
        out.collect(reused);
      }, typing);
      keep(emitted.map(timesHundred, typing), 'changed');
      keep(
        emitted
          .keyBy((x) => x.k)
          .window(EndOfStreamWindows.get())
          .apply<string>((key, _window, values, out) => {
            out.collect(`${key}:${[...values].map(({ n }) => n).join(' ')}`);
          }),
        'kept',
      );
    });
    expect(result.collected<Entry>('changed').map(({ n }) => n)).toEqual([
      100, 100, 200, 200, 1000, 1000, 300, 300,
    ]);
    expect(result.collected('kept')).toEqual(['a:1 1 2 2 3 3', 'b:10 10']);
  });

  test('that a window emits and goes on to keep are not what comes of them', async () => {
    const result = await run((env) => {
      const late = [0, 2000, 500, 600].map((time) => ({ k: 'a', n: 1, time }));
      const event = types.record({ k: types.string, n: types.int32, time: types.timestamp });
      const totals = env
        .fromSource(CollectionSource.of(late, { type: event }), {
          watermarks: monotonousTimestamps((x) => x.time),
        })
        .keyBy((x) => x.k)
        .window(TumblingEventTimeWindows.of(1000))
        .allowedLateness(10_000)
        .aggregate<Entry, Entry>(
          {
            createAccumulator: () => ({ k: 'sum', n: 0 }),
            add: (x, sum) => {
              sum.n += x.n;
              return sum;
            },
            getResult: (sum) => sum,
            merge: (a) => a,
          },
          typing,
        );
      keep(totals.map(timesHundred, typing), 'chained');
      keep(totals.rebalance(), 'apart');
    });
    const expected = [1, 2, 3, 1];
    expect(result.collected<Entry>('apart').map(({ n }) => n)).toEqual(expected);
    expect(result.collected<Entry>('chained').map(({ n }) => n)).toEqual(
      expected.map((n) => n * 100),
    );
  });

  test('of a collection are the application’s', async () => {
    const values = [{ k: 'a', n: 1 }];
    const job = defineJob(`collection ${jobs++}`, (env) => {
      for (const uid of ['one', 'two']) {
        keep(env.fromSource(CollectionSource.of(values, typing)).map(timesHundred, typing), uid);
      }
    });
    const result = await testJob(job, undefined, { layout: 'both' });
    expect([result.collected('one'), result.collected('two'), values]).toEqual([
      [{ k: 'a', n: 100 }],
      [{ k: 'a', n: 100 }],
      [{ k: 'a', n: 1 }],
    ]);
  });
});

test('a sink that keeps what it is given keeps what was emitted', async () => {
  const kept: Entry[] = [];
  const keeping: Sink<Entry> = {
    name: 'keeping',
    committer: null,
    createWriter: (): SinkWriter<Entry> => ({
      open: async () => {},
      write: (value) => void kept.push(value),
      ready: () => null,
      finish: async () => [],
      abort: async () => {},
    }),
  };
  const reused: Entry = { k: '', n: 0 };
  const { openChain } = await import('../runtime/stream/operators/chains.ts');
  const { input } = await openChain([
    { id: 'reuse', operation: { kind: 'map', fn: (x: Entry) => Object.assign(reused, x) } },
    { id: 'sink', operation: { kind: 'sink', sink: keeping } },
  ]);
  for (const value of entries) input.record(value, 0);
  expect(kept).toEqual(entries);
});

describe('a value that is not of its declared type', () => {
  const wrong = [undefined, null, 5, { k: 'a' }];
  const layouts = ['encoded', 'same-slot'] as const;
  const cases = layouts.flatMap((layout) => wrong.map((value) => [layout, value] as const));

  test.each(cases)('is refused, %s: %o', async (layout, value) => {
    for (const partition of ['chained', 'apart']) {
      const job = defineJob(`wrong ${jobs++}`, (env) => {
        const mapped = env
          .fromSource(CollectionSource.of([1]))
          .map(() => value as unknown as string, { type: types.string, name: 'Wrong' });
        keep(partition === 'apart' ? mapped.rebalance() : mapped, 'all');
      });
      await expect(testJob(job, undefined, { layout })).rejects.toThrow(
        /^the value: expected string, /,
      );
    }
  });

  test.each(layouts)('is not written by a sink that declares one, %s', async (layout) => {
    const job = defineJob(`wrong sink ${jobs++}`, (env) => {
      env
        .fromSource(CollectionSource.of([{ k: 'a', n: 2.5 }]))
        .sinkTo(FileSink.csv<Entry>('out', { type: entry }));
    });
    await expect(testJob(job, undefined, { layout })).rejects.toThrow(
      '/n: expected int32, got number 2.5',
    );
  });
});
