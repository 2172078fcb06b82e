import { describe, expect, test } from 'vitest';
import type { DataStream, DataStreamSink } from '../../src/api/data-stream.ts';
import { StreamExecutionEnvironment } from '../../src/api/environment.ts';
import { types } from '../../src/api/types.ts';
import { monotonousTimestamps } from '../../src/api/watermarks.ts';
import { EndOfStreamWindows, TumblingEventTimeWindows } from '../../src/api/windows.ts';
import { flight, numbers, out } from '../graph/jobs.ts';

const never = () => {
  throw new Error('no test of builders runs a job');
};
const aggregate = { createAccumulator: never, add: never, getResult: never, merge: never };

function open() {
  const env = new StreamExecutionEnvironment();
  const flights = env.fromSource(numbers({ type: flight }));
  return { env, flights, last: () => env.close().transformations.at(-1)! };
}

describe('types', () => {
  test('are kept by what does not change elements', () => {
    const { env, flights } = open();
    const watermarks = monotonousTimestamps<{ time: number }>((f) => f.time);
    flights
      .filter(never)
      .assignTimestampsAndWatermarks(watermarks)
      .keyBy('origin')
      .reduce(never)
      .filter(never);
    flights.keyBy('origin').window(EndOfStreamWindows.get()).reduce(never);
    flights.windowAll(EndOfStreamWindows.get()).reduce(never);
    const { transformations } = env.close();
    expect(transformations.map((t) => t.outputType)).toEqual(transformations.map(() => flight));
  });

  test('are unknown where a function makes new elements, unless declared', () => {
    const { env, flights } = open();
    const day = TumblingEventTimeWindows.of('1d');
    flights.map(never);
    flights.flatMap(never);
    flights.keyBy('origin').window(day).reduce(never, never);
    flights.keyBy('origin').window(day).aggregate(aggregate);
    flights.keyBy('origin').window(day).apply(never);
    const declared = { type: types.string };
    flights.map<string>(never, declared);
    flights.flatMap<string>(never, declared);
    flights.keyBy('origin').window(day).reduce<string>(never, never, declared);
    flights.keyBy('origin').window(day).aggregate<unknown, string>(aggregate, declared);
    flights
      .keyBy('origin')
      .window(day)
      .aggregate<unknown, unknown, string>(aggregate, never, declared);
    flights.keyBy('origin').window(day).apply<string>(never, declared);
    const outputs = env
      .close()
      .transformations.slice(1)
      .map((t) => t.outputType);
    expect(outputs).toEqual([...Array(5).fill(null), ...Array(6).fill(types.string)]);
  });
});

describe('keyBy', () => {
  test('a field has the type that the record declares', () => {
    const { flights, last } = open();
    flights.keyBy('time').reduce(never);
    const { key } = last().inputs[0]!;
    expect(key!.type).toEqual(types.timestamp);
    expect(key!.selector({ time: 5 })).toBe(5);
  });

  test('a function gives primitives, or what it declares', () => {
    const { flights, env } = open();
    const pair = types.record({ origin: types.string, delay: types.int32 });
    flights.keyBy((f) => f.origin).reduce(never);
    flights.keyBy((f) => ({ origin: f.origin, delay: f.delay }), { type: pair }).reduce(never);
    const keys = env
      .close()
      .transformations.slice(1)
      .map((t) => t.inputs[0]!.key!.type);
    expect(keys).toEqual([{ kind: 'primitive' }, pair]);
  });

  // oxlint-disable-next-line typescript/no-explicit-any
  test.each<readonly [string, (flights: DataStream<any>) => unknown, RegExp]>([
    [
      'a map',
      (f) => f.keyBy(never, { type: types.map(types.string) }),
      /keyBy after 'Source: numbers': a map of string cannot be a key, the order/,
    ],
    [
      'a union',
      (f) => f.keyBy(never, { type: types.union(types.string, types.int32) }),
      /string or int32 cannot be a key/,
    ],
    [
      'a field that is not there',
      (f) => f.keyBy('orgin'),
      /keyBy\('orgin'\): the record has only origin, time, delay/,
    ],
    [
      'a field of an unknown type',
      (f) => f.map(never).keyBy('origin'),
      /needs a stream of a declared record type; use keyBy\(x => x\.origin\)/,
    ],
  ])('refuses %s when the job is built', (_, build, message) => {
    expect(() => build(open().flights)).toThrow(message);
  });
});

describe('windows', () => {
  test('take their name, lateness and contents along', () => {
    const { flights, last } = open();
    flights
      .keyBy('origin')
      .window(TumblingEventTimeWindows.of('90m', '1500ms'))
      .allowedLateness('10s')
      .aggregate(aggregate);
    const { name, operation } = last();
    expect(name).toBe('Window(TumblingEventTimeWindows(90min, 1500ms))');
    expect(operation).toMatchObject({
      kind: 'window',
      allowedLatenessMs: 10_000,
      contents: { kind: 'aggregate' },
      windowFunction: null,
    });
  });

  test('over the whole stream stay in one subtask', () => {
    const { flights, last } = open();
    const all = flights.windowAll(TumblingEventTimeWindows.of('1d')).reduce(never);
    expect(() => all.setParallelism(2)).toThrow(/its parallelism is always 1/);
    all.setParallelism(1);
    expect(last()).toMatchObject({
      name: 'WindowAll(TumblingEventTimeWindows(1d))',
      parallelism: 1,
    });
  });
});

describe('options', () => {
  test('of one operator reach only it', () => {
    const { env, flights } = open();
    const sink: DataStreamSink = flights
      .map(never, { name: 'Twice' })
      .uid('twice')
      .setMaxParallelism(64)
      .sinkTo(out());
    sink.setParallelism(3).name('Files');
    env.setParallelism(4);
    const { transformations, parallelism } = env.close();
    expect(parallelism).toBe(4);
    expect(
      transformations.map(({ name, uid, parallelism: p, maxParallelism }) => [
        name,
        uid,
        p,
        maxParallelism,
      ]),
    ).toEqual([
      ['Source: numbers', null, null, null],
      ['Twice', 'twice', null, 64],
      ['Files', null, 3, null],
    ]);
  });

  test.each([0, -1, 1.5, Number.NaN, 32_769])('a parallelism of %d is refused', (parallelism) => {
    const { env, flights } = open();
    const message = `a parallelism is a whole number from 1 to 32768, not ${parallelism}`;
    expect(() => flights.setParallelism(parallelism)).toThrow(message);
    expect(() => flights.setMaxParallelism(parallelism)).toThrow(message);
    expect(() => env.setParallelism(parallelism)).toThrow(message);
  });

  test('empty names and uids are refused', () => {
    const { flights } = open();
    expect(() => flights.uid('')).toThrow(/a uid is a text/);
    expect(() => flights.name('')).toThrow(/a name is a text/);
  });
});

test('nothing can be built or changed once the builder has returned', () => {
  const { env, flights } = open();
  env.close();
  const late: readonly (() => unknown)[] = [
    () => flights.map(never),
    () => flights.sinkTo(out()),
    () => flights.uid('a'),
    () => flights.name('a'),
    () => flights.setParallelism(1),
    () => flights.setMaxParallelism(1),
    () => env.setParallelism(1),
    () => env.fromSource(numbers()),
  ];
  for (const call of late) expect(call).toThrow(/came after the job's builder had returned/);
});
