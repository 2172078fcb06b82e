import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { PollStatus, type Source, type Split } from '../../src/api/source.ts';
import { CollectionSource } from '../../src/connectors/collection/index.ts';
import { GeneratorSource } from '../../src/connectors/generator/index.ts';
import { createCommitter, createEnumerator } from '../../src/connectors/registry.ts';
import { openReader, poll, readAll, readInTwo } from './read.ts';

const context = { workingDirectory: '/', jobId: 'a', epoch: 1 };

/** All records, read by some subtasks in turn, each asking for a split when it needs one. */
async function readInParallel<T>(source: Source<T>, parallelism: number, batch: number) {
  const enumerator = await createEnumerator(source.enumerator, context);
  await enumerator.start();
  const readings = Array.from({ length: parallelism }, (_, i) =>
    openReader(source, parallelism, i),
  );
  const active = new Set(readings.keys());
  while (active.size > 0) {
    for (const subtaskIndex of active) {
      const { reader, records } = readings[subtaskIndex]!;
      const status = reader.poll({ emit: (value) => void records.push(value) }, batch);
      if (status === PollStatus.end) active.delete(subtaskIndex);
      if (status === PollStatus.wait) await reader.available();
      if (status !== PollStatus.needSplit) continue;
      const split = await enumerator.next({ subtaskIndex, parallelism });
      if (split === null) reader.noMoreSplits();
      else reader.addSplit(split);
    }
  }
  return readings.map(({ records }) => records);
}

interface Sample {
  readonly index: number;
  readonly a: number;
  readonly b: number;
}
const samples = (count?: number, seed?: number) =>
  GeneratorSource.of<Sample>({
    ...(count !== undefined && { count }),
    ...(seed !== undefined && { seed }),
    create: (index, random) => ({ index, a: random(), b: random() }),
  });
const byIndex = (values: readonly Sample[]) => values.toSorted((x, y) => x.index - y.index);

describe('GeneratorSource', () => {
  test('gives the same records whatever the parallelism and the batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        async (count, parallelism, batch, seed) => {
          const one = (await readAll(samples(count, seed))).records;
          expect(one.map((s) => s.index)).toEqual(Array.from({ length: count }, (_, i) => i));
          const many = await readInParallel(samples(count, seed), parallelism, batch);
          expect(byIndex(many.flat())).toEqual(one);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('random numbers are from 0 to below 1, spread evenly, and others by seed and index', async () => {
    const { records } = await readAll(samples(5000));
    const numbers = records.flatMap((s) => [s.a, s.b]);
    expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true);
    const counts = Array.from(
      { length: 10 },
      (_, i) => numbers.filter((n) => Math.floor(n * 10) === i).length,
    );
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(new Set(numbers).size).toBeGreaterThan(9980);
    const other = (await readAll(samples(5000, 1))).records;
    expect(other.filter((s, i) => s.a === records[i]!.a).length).toBeLessThan(5);
  });

  test('goes on from a snapshot with exactly the rest', async () => {
    const all = (await readAll(samples(130))).records;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 140 }),
        fc.integer({ min: 1, max: 50 }),
        async (first, batch) => {
          const [before, after] = await readInTwo(samples(130), first, batch);
          expect([before, after]).toEqual([all.slice(0, first), all.slice(first)]);
        },
      ),
    );
  });

  test.each([
    [1, 1],
    [2, 30],
    [8, 120],
  ])('%i subtasks ask for splits %i times at the most', async (parallelism, most) => {
    const enumerator = await createEnumerator(samples(100_000).enumerator, context);
    await enumerator.start();
    const splits: Split[] = [];
    for (let asked = 0; ; asked++) {
      const request = { subtaskIndex: asked % parallelism, parallelism };
      const split = await enumerator.next(request);
      if (split === null) break;
      splits.push(split);
    }
    expect(splits.length).toBeGreaterThanOrEqual(parallelism);
    expect(splits.length).toBeLessThanOrEqual(most);
    enumerator.addBack([splits.at(-1)!, splits[0]!]);
    const request = { subtaskIndex: 0, parallelism };
    expect(await enumerator.next(request)).toEqual(splits[0]);
    expect(await enumerator.next(request)).toEqual(splits.at(-1));
    expect(await enumerator.next(request)).toBeNull();
  });

  test('without a count it is unbounded: subtasks take turns with the indices', async () => {
    const source = samples();
    expect(source.boundedness).toBe('unbounded');
    expect(samples(1).boundedness).toBe('bounded');
    const enumerator = await createEnumerator(source.enumerator, context);
    await enumerator.start();
    const first: Sample[] = [];
    for (let subtaskIndex = 0; subtaskIndex < 3; subtaskIndex++) {
      const reading = openReader(source, 3, subtaskIndex);
      const request = { subtaskIndex, parallelism: 3 };
      reading.reader.addSplit((await enumerator.next(request))!);
      expect(await enumerator.next(request)).toBeNull();
      await poll(reading, 7, 20);
      first.push(...reading.records);
    }
    expect(byIndex(first)).toEqual((await readAll(samples(60))).records);
  });

  test('a split without end that comes back goes on at its position', async () => {
    const source = samples();
    const enumerator = await createEnumerator(source.enumerator, context);
    await enumerator.start();
    const request = { subtaskIndex: 1, parallelism: 2 };
    const reading = openReader(source, 2, 1);
    reading.reader.addSplit((await enumerator.next(request))!);
    await poll(reading, 4, 10);
    enumerator.addBack(reading.reader.snapshot());
    const next = openReader(source, 2, 1);
    next.reader.addSplit((await enumerator.next(request))!);
    await poll(next, 4, 3);
    expect(next.records.map((s) => s.index)).toEqual([21, 23, 25]);
  });

  test('keeps to a rate, divided among the subtasks', () => {
    vi.useFakeTimers();
    try {
      const source = GeneratorSource.of({ create: (index) => index, ratePerSecond: 1000 });
      const { reader, records } = openReader(source, 4);
      const split: Split = { id: 'x', from: 0, to: null, step: 4 };
      reader.addSplit(split);
      const output = { emit: (value: number) => void records.push(value) };
      expect(reader.poll(output, 1000)).toBe(PollStatus.wait);
      expect(records).toEqual([]);
      vi.advanceTimersByTime(100);
      reader.poll(output, 1000);
      expect(records).toHaveLength(25);
      vi.advanceTimersByTime(900);
      expect(reader.poll(output, 100)).toBe(PollStatus.more);
      reader.poll(output, 1000);
      expect(records).toHaveLength(250);
    } finally {
      vi.useRealTimers();
    }
  });

  test('waits until the next record is due', async () => {
    const source = GeneratorSource.of({ count: 3, create: (index) => index, ratePerSecond: 200 });
    expect((await readAll(source)).records).toEqual([0, 1, 2]);
  });
});

describe('CollectionSource', () => {
  test('gives its values in their order, each once, whatever the parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.integer(), fc.record({ n: fc.integer() })), {
          maxLength: 150,
        }),
        fc.integer({ min: 1, max: 5 }),
        async (values, parallelism) => {
          const source = CollectionSource.of(values);
          const { records } = await readAll(source, 3);
          expect(records).toHaveLength(values.length);
          expect(records).toEqual(values);
          // They are the application's, which may read them again: nobody else gets them.
          expect(
            records.filter((r) => typeof r === 'object' && values.includes(r as never)),
          ).toEqual([]);
          const many = await readInParallel(source, parallelism, 3);
          const texts = (some: readonly unknown[]) => some.map((v) => JSON.stringify(v)).toSorted();
          expect(texts(many.flat())).toEqual(texts(values));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('goes on from a snapshot with exactly the rest', async () => {
    const values = Array.from({ length: 100 }, (_, i) => i);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 110 }),
        fc.integer({ min: 1, max: 50 }),
        async (first, batch) => {
          const [before, after] = await readInTwo(CollectionSource.of(values), first, batch);
          expect([before, after]).toEqual([values.slice(0, first), values.slice(first)]);
        },
      ),
    );
  });
});

describe('the registry', () => {
  test('names a kind that it does not know', async () => {
    await expect(createEnumerator({ kind: 'kafka', options: {} }, context)).rejects.toThrow(
      "this version knows no source of kind 'kafka'",
    );
    await expect(createCommitter({ kind: 'kafka', options: {} }, context)).rejects.toThrow(
      "this version knows no sink of kind 'kafka'",
    );
  });
});

describe('options that are none', () => {
  const create = (index: number) => index;
  test.each([
    ['create is a function', { generate: create }],
    ['count is a whole number, not -1', { create, count: -1 }],
    ['count is a whole number, not 1.5', { create, count: 1.5 }],
    ['ratePerSecond is a number above 0, not 0', { create, ratePerSecond: 0 }],
    ['ratePerSecond is a number above 0, not fast', { create, ratePerSecond: 'fast' }],
  ])('%s', (message, options) => {
    expect(() => GeneratorSource.of(options as never)).toThrow(message);
  });

  test('values that are no array', () => {
    expect(() => CollectionSource.of({ 0: 1 } as never)).toThrow('needs an array');
  });
});
