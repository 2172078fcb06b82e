import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../../../src/api/bytes.ts';
import { compileCodec } from '../../../../src/api/codec.ts';
import { subtaskOf } from '../../../../src/api/keys.ts';
import { types } from '../../../../src/api/types.ts';
import {
  KeySpace,
  keyGroupRange,
  keySpaceOf,
  singleKey,
} from '../../../../src/runtime/stream/state/key-space.ts';
import { KeyedTable } from '../../../../src/runtime/stream/state/keyed-table.ts';

describe('key group ranges', () => {
  test.each([
    { parallelism: 1, max: 128, ranges: [[0, 127]] },
    {
      parallelism: 2,
      max: 128,
      ranges: [
        [0, 63],
        [64, 127],
      ],
    },
    {
      parallelism: 3,
      max: 128,
      ranges: [
        [0, 42],
        [43, 85],
        [86, 127],
      ],
    },
    {
      parallelism: 3,
      max: 4,
      ranges: [
        [0, 1],
        [2, 2],
        [3, 3],
      ],
    },
  ])('$parallelism subtasks, $max groups', ({ parallelism, max, ranges }) => {
    const made = ranges.map((_, index) => keyGroupRange(index, parallelism, max));
    expect(made.map(({ start, end }) => [start, end])).toEqual(ranges);
  });

  test('each group is in the range of exactly the subtask that channels send it to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 200 }), (a, b) => {
        const [parallelism, max] = a <= b ? [a, b] : [b, a];
        for (let group = 0; group < max; group++) {
          const owners = Array.from({ length: parallelism }, (_, subtask) => subtask).filter(
            (subtask) => {
              const { start, end } = keyGroupRange(subtask, parallelism, max);
              return group >= start && group <= end;
            },
          );
          expect(owners).toEqual([subtaskOf(group, parallelism, max)]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('keyed table', () => {
  const byLength = new KeySpace({
    flat: (key) => key,
    identity: (key) => JSON.stringify(key),
    keyGroupOf: (key) => (key as readonly unknown[]).length,
    range: { start: 1, end: 2 },
  });

  test('one cell a key, in order of arrival, each with its key group', () => {
    const table = new KeyedTable<number>(byLength);
    expect(table.get(['b'])).toBeUndefined();
    table.add(['b'], 1);
    table.add(['a', 'c'], 2);
    const cell = table.get(['b']);
    cell!.value += 10;
    expect(table.get(['b'])).toBe(cell);
    expect([...table.cells()]).toEqual([
      { key: ['b'], keyGroup: 1, value: 11 },
      { key: ['a', 'c'], keyGroup: 2, value: 2 },
    ]);
  });

  test.each([
    { key: [], text: /key \[\] is of key group 0, but this subtask owns 1 to 2/ },
    { key: [1n, 'x', null], text: /key \["1","x",null\] is of key group 3/ },
  ])('a key of a group outside the range is refused', ({ key, text }) => {
    const table = new KeyedTable<number>(byLength);
    expect(() => table.add(key, 1)).toThrow(text);
    expect([...table.cells()]).toEqual([]);
  });

  test('the key of a windowAll is null, of group 0', () => {
    const table = new KeyedTable<number>(singleKey);
    table.add(null, 1);
    expect([...table.cells()]).toEqual([{ key: null, keyGroup: 0, value: 1 }]);
  });
});

describe('kept keys', () => {
  const owner = { subtaskIndex: 0, parallelism: 1, maxParallelism: 128 };
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  test('that were cut from a text do not keep all of it', () => {
    const table = new KeyedTable<number>(keySpaceOf(types.string, owner));
    const chunkSize = 256 * 1024;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 100; i++) {
      const chunk = `key number ${i} is cut from a long text`.padEnd(chunkSize, String(i));
      table.add(chunk.slice(0, 20), i);
    }
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * chunkSize);
    expect([...table.cells()].at(-1)?.key).toBe('key number 99 is cut');
  });

  test('of fields are no longer the user’s', () => {
    const type = types.record({ name: types.string, parts: types.list(types.string) });
    const table = new KeyedTable<number>(keySpaceOf(type, owner));
    const key = { name: 'a', parts: ['b'] };
    table.add(key, 1);
    key.parts.push('c');
    expect([...table.cells()]).toMatchObject([{ key: { name: 'a', parts: ['b'] } }]);
  });

  test('are the same exactly when their encodings are, also with lone surrogates', () => {
    const table = new KeyedTable<number>(keySpaceOf(types.string, owner));
    const keys = ['\ud800', '\udc00', '\ufffd', 'long enough to be no short text \ud800'];
    for (const [index, key] of keys.entries()) table.add(key, index);
    const codec = compileCodec<string>(types.string);
    for (const [index, key] of keys.entries()) {
      const writer = new ByteWriter();
      codec.write(writer, key);
      expect(table.get(codec.read(new ByteReader(writer.written())))?.value).toBe(index);
    }
  });
});
