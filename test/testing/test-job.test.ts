import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineJob } from '../../src/api/job.ts';
import type { Sink } from '../../src/api/sink.ts';
import type { Source } from '../../src/api/source.ts';
import { types } from '../../src/api/types.ts';
import { boundedOutOfOrderness, monotonousTimestamps } from '../../src/api/watermarks.ts';
import { EndOfStreamWindows, TumblingEventTimeWindows } from '../../src/api/windows.ts';
import { CollectSink } from '../../src/connectors/collect/index.ts';
import { CollectionSource } from '../../src/connectors/collection/index.ts';
import { FileSink, FileSource } from '../../src/connectors/files/index.ts';
import { GeneratorSource } from '../../src/connectors/generator/index.ts';
import { ManualClock, testJob } from '../../src/testing/index.ts';

interface Flight {
  origin: string;
  time: number;
  delay: number;
}
const flight = types.record({ origin: types.string, time: types.timestamp, delay: types.int32 });

/** A source that must not be read, and a sink that must not be written: tests replace both. */
function untouchable<T>(name: string, type: Source<T>['type'] = null): Source<T> {
  return {
    name,
    type,
    boundedness: 'bounded',
    enumerator: { kind: 'untouchable', options: {} },
    createReader: () => {
      throw new Error(`'${name}' was read`);
    },
  };
}

function forbidden(name: string): Sink<unknown> {
  return {
    name,
    committer: { kind: 'forbidden', options: {} },
    createWriter: () => {
      throw new Error(`'${name}' was written`);
    },
  };
}

const mean = {
  createAccumulator: () => ({ count: 0, sum: 0 }),
  add: (f: Flight, acc: { count: number; sum: number }) => ({
    count: acc.count + 1,
    sum: acc.sum + f.delay,
  }),
  getResult: (acc: { count: number; sum: number }) => acc.sum / acc.count,
  merge: (a: { count: number; sum: number }, b: { count: number; sum: number }) => ({
    count: a.count + b.count,
    sum: a.sum + b.sum,
  }),
};

const args = types.record({ input: types.string, minimum: types.int32 });
const delays = defineJob('delays', { args }, (env, { input, minimum }) => {
  const flights = env
    .fromSource(untouchable<Flight>(input, flight), {
      watermarks: boundedOutOfOrderness(10, (f) => f.time),
    })
    .filter((f, context) => {
      context.counter('flights').add();
      return f.delay >= minimum;
    });
  flights.sinkTo(forbidden('raw')).uid('kept');
  flights
    .keyBy('origin')
    .window(TumblingEventTimeWindows.of(100))
    .aggregate(mean, (origin, window, [delay], out) =>
      out.collect({ origin, from: window.start, delay }),
    )
    .setParallelism(4)
    .sinkTo(forbidden('out/delays'));
});
const flights: Flight[] = [
  { origin: 'LAX', time: 10, delay: 20 },
  { origin: 'SFO', time: 30, delay: 5 },
  { origin: 'LAX', time: 20, delay: 40 },
  { origin: 'SFO', time: 150, delay: -3 },
  { origin: 'SFO', time: 130, delay: 7 },
  { origin: 'LAX', time: 99, delay: 1 },
];

describe('testJob', () => {
  test('runs a whole job on given elements and shows what reached each sink', async () => {
    const result = await testJob(
      delays,
      { input: 'flights', minimum: 0 },
      { sources: { flights } },
    );
    const windows = [
      { value: { origin: 'LAX', from: 0, delay: 30 }, timestamp: 99 },
      { value: { origin: 'SFO', from: 0, delay: 5 }, timestamp: 99 },
      { value: { origin: 'SFO', from: 100, delay: 7 }, timestamp: 199 },
    ];
    expect(result.timestamped('out/delays')).toEqual(windows);
    expect(result.timestamped('Sink: out/delays')).toEqual(windows);
    expect(result.collected<Flight>('kept').map((f) => f.delay)).toEqual([20, 5, 40, 7, 1]);
    expect(result.accumulators).toEqual({ flights: 6 });
    expect(result.lateRecordsDropped).toBe(1);
  });

  test('with larger batches watermarks come later, as on a cluster', async () => {
    const options = { sources: { flights }, batchSize: 100 };
    const result = await testJob(delays, { input: 'flights', minimum: 0 }, options);
    expect(result.lateRecordsDropped).toBe(0);
    expect(result.collected('out/delays')).toContainEqual({
      origin: 'LAX',
      from: 0,
      delay: 61 / 3,
    });
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a source that the job does not have',
      () => testJob(delays, { input: 'flights', minimum: 0 }, { sources: { trains: [] } }),
      /no source 'trains'; it has 'Source: flights'/,
    ],
    [
      'wrong arguments',
      () => testJob(delays, { input: 'flights', minimum: 'a few' as unknown as number }),
      /minimum/,
    ],
    [
      'elements of another type',
      () =>
        testJob(
          delays,
          { input: 'f', minimum: 0 },
          { sources: { f: [{ ...flights[0], origin: 5 }] } },
        ),
      /origin/,
    ],
  ])('%s is refused', async (_name, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });

  test('a sink must be named when there are several, by a name that there is', async () => {
    const result = await testJob(delays, { input: 'f', minimum: 0 }, { sources: { f: [] } });
    expect(() => result.collected()).toThrow(/2 sinks, say which: 'kept', 'Sink: out\/delays'/);
    expect(() => result.collected('other')).toThrow(/no sink 'other'; it has 'kept'/);
    expect(result.collected('kept')).toEqual([]);
  });

  test('a user exception rejects unchanged', async () => {
    const boom = new RangeError('boom');
    const job = defineJob('fails', (env) => {
      env
        .fromSource(untouchable<number>('numbers'))
        .map(() => {
          throw boom;
        })
        .sinkTo(forbidden('x'));
    });
    await expect(testJob(job, undefined, { sources: { numbers: [1] } })).rejects.toBe(boom);
  });

  test('two sources and two sinks in one job; one result for the whole stream', async () => {
    const job = defineJob('two', (env) => {
      env
        .fromSource(untouchable<number>('a'))
        .windowAll(EndOfStreamWindows.get())
        .reduce((x, y) => x + y)
        .sinkTo(forbidden('sum'));
      env.fromSource(untouchable<string>('b')).sinkTo(forbidden('copy'));
    });
    const sources = { a: [1, 2, 3], b: new Set(['x', 'y']) };
    const result = await testJob(job, undefined, { sources });
    expect(result.collected('sum')).toEqual([6]);
    expect(result.collected('copy')).toEqual(['x', 'y']);
  });

  test('reads real sources, split by split', async () => {
    const job = defineJob('real', (env) => {
      env
        .fromSource(CollectionSource.of(['a', 'b', 'c'], { type: types.string }))
        .sinkTo(CollectSink.named('letters'));
      env
        .fromSource(GeneratorSource.of({ count: 2500, create: (index) => index }))
        .keyBy((n) => n % 2)
        .window(EndOfStreamWindows.get())
        .reduce((a, b) => a + b)
        .sinkTo(CollectSink.named('sums'));
    });
    const result = await testJob(job, undefined, { batchSize: 100 });
    expect(result.collected('letters')).toEqual(['a', 'b', 'c']);
    expect(result.collected('sums')).toEqual([1249 * 1250, 1250 * 1250]);
  });

  test('reads files relative to the working directory, and leaves the output folder alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fctl-test-job-'));
    try {
      const header = 'origin,time,delay';
      await writeFile(join(directory, 'in.csv'), `${header}\nLAX,10,20\nSFO,30,5\nLAX,20,40\n`);
      const row = types.record({ origin: types.string, delay: types.double });
      const job = defineJob('files', (env) => {
        env
          .fromSource(FileSource.csv('in.csv', flight))
          .keyBy('origin')
          .window(EndOfStreamWindows.get())
          .aggregate(mean, (origin, _w, [delay], out) => out.collect({ origin, delay: delay! }), {
            type: row,
          })
          .sinkTo(FileSink.csv('out', { type: row }));
      });
      const result = await testJob(job, undefined, { workingDirectory: directory });
      expect(result.collected()).toEqual([
        { origin: 'LAX', delay: 30 },
        { origin: 'SFO', delay: 5 },
      ]);
      expect(await readdir(directory)).toEqual(['in.csv']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('a source that never ends is refused, unless the test gives its elements', async () => {
    const job = defineJob('endless', (env) => {
      env.fromSource(GeneratorSource.of({ create: (index) => index })).sinkTo(forbidden('x'));
    });
    await expect(testJob(job)).rejects.toThrow(
      /'Source: generator' never ends: .*options\.sources/,
    );
    const result = await testJob(job, undefined, { sources: { generator: [7] } });
    expect(result.collected()).toEqual([7]);
  });

  test('a clock that the given elements move lets watermarks come in between', async () => {
    const clock = new ManualClock();
    function* readings() {
      yield 1000;
      yield 2000;
      clock.advance('1s');
      yield 1001;
    }
    const job = defineJob('clock', (env) => {
      env
        .fromSource(untouchable<number>('readings'))
        .assignTimestampsAndWatermarks(monotonousTimestamps((t) => t))
        .keyBy(() => 'all')
        .window(TumblingEventTimeWindows.of(1000))
        .reduce((a, b) => a + b)
        .sinkTo(forbidden('x'));
    });
    const result = await testJob(job, undefined, { sources: { readings: readings() }, clock });
    expect(result.timestamped()).toEqual([
      { value: 1000, timestamp: 1999 },
      { value: 2000, timestamp: 2999 },
    ]);
    expect(result.lateRecordsDropped).toBe(1);
  });
});
