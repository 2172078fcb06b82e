/** Copies and checks beside codecs: the same as encoding, without the bytes. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/api/bytes.ts';
import { type Codec, compileCodec } from '../../src/api/codec.ts';
import { type TypeShape, types } from '../../src/api/types.ts';
import { anyType, typedValues } from './arbitrary-type.ts';

const compile = (type: TypeShape | null): Codec<unknown> => compileCodec<unknown>(type);

function encoded(codec: Codec<unknown>, value: unknown): unknown {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return codec.read(new ByteReader(writer.written()));
}

/** The message of what `action` throws; `null`: nothing. */
function refusal(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) freeze(inner);
}

/** Every object in a value that could be changed. */
function mutables(value: unknown, found = new Set<unknown>()): Set<unknown> {
  if (typeof value !== 'object' || value === null) return found;
  found.add(value);
  if (ArrayBuffer.isView(value)) return found;
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) {
    mutables(inner, found);
  }
  return found;
}

describe('values of a declared type', () => {
  test('are copied as encoding would give them back, and share nothing with their copy', () => {
    fc.assert(
      fc.property(typedValues, ({ type, values }) => {
        const codec = compile(type);
        for (const value of values) {
          freeze(value);
          codec.check(value);
          const copy = codec.copy(value);
          expect(isDeepStrictEqual(copy, encoded(codec, value))).toBe(true);
          expect([...mutables(copy)].filter((inner) => mutables(value).has(inner))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('and those that are not are refused in the same words, however they go', () => {
    const odd = fc.oneof(
      typedValues.map(({ values }) => values[0]),
      fc.constantFrom(undefined, null, 2 ** 40, 2n ** 70n, 2.5, [], {}, new Map([[1, 2]]), () => 1),
    );
    fc.assert(
      fc.property(anyType, odd, (type, value) => {
        const codec = compile(type);
        const expected = refusal(() => encoded(codec, value));
        expect(refusal(() => codec.check(value))).toBe(expected);
        expect(refusal(() => codec.copy(value))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('lose what their type does not have', () => {
    const codec = compile(types.record({ a: types.int32, b: types.optional(types.string) }));
    const copy = codec.copy({ a: -0, c: 'more', b: undefined });
    expect(copy).toStrictEqual({ a: 0 });
    expect(Object.keys(copy as object)).toEqual(['a']);
  });
});

describe('values without one', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: false,
    withNullPrototype: true,
  });

  test('are copied as encoding would give them back', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const expected = refusal(() => encoded(compile(null), value));
        if (expected !== null) return;
        expect(compile(null).copy(value)).toEqual(encoded(compile(null), value));
      }),
      { numRuns: 1000 },
    );
  });

  test('share nothing with their copy', () => {
    const value = { list: [{ n: 1 }], bytes: Buffer.from('ab'), map: new Map([['k', { n: 2 }]]) };
    const copy = compile(null).copy(value) as typeof value;
    copy.list[0]!.n = 5;
    copy.bytes[0] = 0;
    copy.map.get('k')!.n = 5;
    expect(value).toEqual({
      list: [{ n: 1 }],
      bytes: Buffer.from('ab'),
      map: new Map([['k', { n: 2 }]]),
    });
  });
});
