/** Functions given as objects: called as plain ones are, opened and closed around that, in both layouts. */
import { describe, expect, test } from 'vitest';
import {
  type AggregateFunction,
  CollectionSource,
  type Collector,
  DiscardSink,
  EndOfStreamWindows,
  type RichFilterFunction,
  type RichFlatMapFunction,
  type RichFunction,
  type RichMapFunction,
  type RichReduceFunction,
  type RichWindowFunction,
  type RuntimeContext,
  type StreamExecutionEnvironment,
  type TimeWindow,
  defineJob,
} from '../../src/api/index.ts';
import { streamHarness, testJob } from '../../src/testing/index.ts';

/** Fails when it is called before `open` or after `close`. */
class Opened implements RichFunction {
  private context: RuntimeContext | null = null;

  open(context: RuntimeContext): void {
    this.context = context;
    context.counter('opened').add();
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.use().counter('closed').add();
    this.context = null;
  }

  protected use(): RuntimeContext {
    if (this.context === null) throw new Error('used while it was not open');
    return this.context;
  }
}

class Add extends Opened implements RichMapFunction<number, number> {
  map(value: number): number {
    this.use();
    return value + 1;
  }
}

class Twice extends Opened implements RichFlatMapFunction<number, number> {
  flatMap(value: number, out: Collector<number>): void {
    this.use();
    out.collect(value);
    out.collect(value);
  }
}

class Even extends Opened implements RichFilterFunction<number> {
  filter(value: number): boolean {
    this.use();
    return value % 2 === 0;
  }
}

class Sum extends Opened implements RichReduceFunction<number> {
  reduce(a: number, b: number): number {
    this.use();
    return a + b;
  }
}

class Count extends Opened implements AggregateFunction<number, number, number> {
  createAccumulator(): number {
    this.use();
    return 0;
  }
  add(_value: number, count: number): number {
    return count + 1;
  }
  getResult(count: number): number {
    this.use();
    return count;
  }
  merge(a: number, b: number): number {
    return a + b;
  }
}

class Each extends Opened implements RichWindowFunction<number, string, number> {
  process(
    key: number,
    _window: TimeWindow,
    values: Iterable<number>,
    out: Collector<string>,
    context: RuntimeContext,
  ): void {
    if (context !== this.use()) throw new Error('another context than open() had');
    out.collect(`${key}: ${[...values].join()}`);
  }
}

let jobs = 0;
const job = (builder: (env: StreamExecutionEnvironment) => void) =>
  defineJob(`rich ${jobs++}`, builder);
const numbers = (env: StreamExecutionEnvironment) =>
  env.fromSource(CollectionSource.of([1, 2, 3, 4]));
const parity = (value: number) => value % 2;

describe('functions as objects', () => {
  test('of every kind are opened before the first record and closed after the last one', async () => {
    const all = job((env) => {
      const some = numbers(env).map(new Add()).flatMap(new Twice()).filter(new Even());
      some.keyBy(parity).reduce(new Sum()).sinkTo(DiscardSink.create()).uid('rolling');
      const windows = () => numbers(env).keyBy(parity).window(EndOfStreamWindows.get());
      windows().reduce(new Sum()).sinkTo(DiscardSink.create()).uid('sums');
      windows().reduce(new Sum(), new Each()).sinkTo(DiscardSink.create()).uid('each sum');
      windows().aggregate(new Count()).sinkTo(DiscardSink.create()).uid('counts');
      windows().aggregate(new Count(), new Each()).sinkTo(DiscardSink.create()).uid('each count');
      windows().apply(new Each()).sinkTo(DiscardSink.create()).uid('elements');
    });
    const result = await testJob(all, undefined, { layout: 'both' });
    expect(result.collected('rolling')).toEqual([2, 4, 8, 12]);
    expect(result.collected('sums')).toEqual([4, 6]);
    expect(result.collected('each sum')).toEqual(['1: 4', '0: 6']);
    expect(result.collected('counts')).toEqual([2, 2]);
    expect(result.collected('each count')).toEqual(['1: 2', '0: 2']);
    expect(result.collected('elements')).toEqual(['1: 1,3', '0: 2,4']);
    expect(result.accumulators).toEqual({ opened: 11, closed: 11 });
  });

  test('are closed when the job fails', async () => {
    const log: string[] = [];
    const failing = job((env) => {
      const boom = numbers(env).map({
        map: () => {
          throw new RangeError('boom');
        },
        close: () => void log.push('closed'),
      });
      boom.sinkTo(DiscardSink.create());
    });
    await expect(testJob(failing)).rejects.toThrow(new RangeError('boom'));
    expect(log).toEqual(['closed']);
  });

  test('work in a harness', async () => {
    const harness = await streamHarness<number, number>((stream) => stream.map(new Add()));
    expect(harness.push(1).take()).toEqual([2]);
    await harness.end();
    expect(harness.accumulators()).toEqual({ opened: 1, closed: 1 });
  });

  test('that two operators would open are refused', async () => {
    const shared = new Add();
    const twice = job((env) => {
      numbers(env).map(shared, { name: 'one' }).map(shared, { name: 'two' });
    });
    await expect(testJob(twice)).rejects.toThrow(
      /'two' was given an object with open\(\) or close\(\) that another operator has already/,
    );
  });

  test('without their method, or with an open that is none, are refused', async () => {
    const build = (given: unknown) =>
      testJob(job((env) => void numbers(env).map(given as RichMapFunction<number, number>)));
    await expect(build({ open: () => {} })).rejects.toThrow(
      /map takes a function, or an object that has one called 'map', not object/,
    );
    await expect(build(undefined)).rejects.toThrow(/not undefined/);
    await expect(build({ map: () => 1, open: 'now' })).rejects.toThrow(/'open' of a function/);
  });
});
