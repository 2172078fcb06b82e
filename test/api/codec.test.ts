import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/api/bytes.ts';
import { type Codec, compileCodec } from '../../src/api/codec.ts';
import { type TypeShape, types } from '../../src/api/types.ts';
import { anyType, typedValues, valueOf } from './arbitrary-type.ts';

function encode(
  codec: Codec<unknown>,
  values: readonly unknown[],
  writer = new ByteWriter(),
): Uint8Array {
  for (const value of values) codec.write(writer, value);
  return writer.written().slice();
}

function decode(codec: Codec<unknown>, bytes: Uint8Array, count: number): unknown[] {
  const reader = new ByteReader(bytes);
  const values = Array.from({ length: count }, () => codec.read(reader));
  expect(reader.position).toBe(bytes.length);
  return values;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a compiled codec', () => {
  test('gives back what it was given, whatever the type', () => {
    fc.assert(
      fc.property(typedValues, ({ type, values }) => {
        const codec = compileCodec<unknown>(type);
        expect(decode(codec, encode(codec, values), values.length)).toEqual(values);
      }),
      { numRuns: 400 },
    );
  });

  test('writes a long as the equal int64, and −0 as 0', () => {
    const values = [
      0,
      -1,
      1,
      2 ** 32,
      -(2 ** 32),
      -(2 ** 31) - 1,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ];
    const bytes = encode(compileCodec<unknown>(types.long), [...values, -0]);
    expect(hex(bytes)).toBe(
      hex(encode(compileCodec<unknown>(types.int64), [...values, 0].map(BigInt))),
    );
    expect(decode(compileCodec<unknown>(types.long), bytes, 9)).toEqual([...values, 0]);
    expect(compileCodec<unknown>(types.long).copy(-0)).toBe(0);
  });

  test('writes the grammar byte by byte', () => {
    const type = types.record({
      id: types.int32,
      late: types.boolean,
      name: types.string,
      gate: types.optional(types.string),
      legs: types.list(types.int64),
      price: types.double,
      either: types.union(types.string, types.timestamp),
      extra: types.record({}),
    });
    const value = { id: -2, late: true, name: 'Zoë', legs: [1n], price: 1.5, either: 2, extra: {} };
    expect(hex(encode(compileCodec<unknown>(type), [value]))).toBe(
      [
        'feffffff', // id
        '01', // late
        '045a6fc3ab', // name
        '00', // no gate
        '010100000000000000', // one leg
        '000000000000f83f', // price
        '010000000000000040', // the second alternative
        '00', // a record without fields
      ].join(''),
    );
    expect(
      hex(encode(compileCodec<unknown>(types.map(types.boolean)), [new Map([['a', true]])])),
    ).toBe('01016101');
    expect(hex(encode(compileCodec<unknown>({ kind: 'primitive' }), ['a', 1, 2n, false]))).toBe(
      '000161' + '01000000000000f03f' + '020200000000000000' + '0300',
    );
  });

  test('an absent field stays absent, an undefined one becomes absent', () => {
    const codec = compileCodec<unknown>(
      types.record({ a: types.int32, b: types.optional(types.int32) }),
    );
    const [first, second] = decode(
      codec,
      encode(codec, [{ a: 1 }, { a: 1, b: undefined }]),
      2,
    ) as object[];
    expect(Object.keys(first!)).toEqual(['a']);
    expect(Object.keys(second!)).toEqual(['a']);
  });

  test('strings of every length around the limits of the fast paths survive', () => {
    const codec = compileCodec<unknown>(types.string);
    for (const unit of ['a', 'é', '€', '😀']) {
      for (const length of [
        0, 1, 18, 19, 20, 23, 24, 25, 42, 43, 63, 64, 127, 128, 1023, 1024, 5461, 20_000,
      ]) {
        for (const value of [unit.repeat(length), `${'x'.repeat(length)}${unit}`]) {
          expect(
            decode(codec, encode(codec, [value], new ByteWriter(new Uint8Array(1))), 1),
          ).toEqual([value]);
        }
      }
    }
    expect(decode(codec, encode(codec, ['a\ud800b']), 1)).toEqual(['a\ud800b']);
  });

  test('a record moves into another buffer when the first is full, wherever it is cut', () => {
    fc.assert(
      fc.property(typedValues, fc.integer({ min: 0, max: 40 }), ({ type, values }, size) => {
        const codec = compileCodec<unknown>(type);
        const writer = new ByteWriter(new Uint8Array(size));
        const sent: Uint8Array[] = [];
        writer.onFull = (w, needed) => {
          const begun = w.bytes.slice(w.recordStart, w.position);
          sent.push(w.bytes.slice(0, w.recordStart));
          const next = new Uint8Array(begun.length + needed);
          next.set(begun);
          w.use(next, begun.length);
          w.recordStart = 0;
        };
        for (const value of values) {
          writer.recordStart = writer.position;
          codec.write(writer, value);
        }
        const bytes = Buffer.concat([...sent, writer.written()]);
        expect(hex(bytes)).toBe(hex(encode(codec, values)));
      }),
    );
  });

  test('a buffer that gives no room is an error, not a loss', () => {
    const writer = new ByteWriter(new Uint8Array(2));
    writer.onFull = () => {};
    expect(() => compileCodec<unknown>(types.double).write(writer, 1)).toThrow(
      /without room for 8 bytes/,
    );
  });

  const misfits: readonly (readonly [string, TypeShape, unknown, string])[] = [
    [
      'field',
      types.record({ origin: types.string }),
      { origin: 5 },
      '/origin: expected string, got number 5',
    ],
    [
      'missing field',
      types.record({ origin: types.string }),
      {},
      '/origin: expected string, but it is missing',
    ],
    [
      'element',
      types.list(types.record({ a: types.int32 })),
      [{ a: 1 }, { a: 1.5 }],
      '/1/a: expected int32, got number 1.5',
    ],
    ['hole', types.list(types.int32), Array(1), '/0: expected int32, but it is missing'],
    [
      'value of a map',
      types.map(types.double),
      new Map([['a/b', 'x']]),
      '/a~1b: expected double, got string "x"',
    ],
    [
      'key of a map',
      types.map(types.double),
      new Map([[1, 2]]),
      'the value: expected a string as the key of a map, got number 1',
    ],
    ['itself', types.boolean, null, 'the value: expected boolean, got null'],
    [
      'int32 out of range',
      types.int32,
      2 ** 31,
      'the value: expected int32, got number 2147483648',
    ],
    [
      'long out of range',
      types.long,
      2 ** 53,
      'the value: expected long, got number 9007199254740992',
    ],
    [
      'long that is a fraction',
      types.record({ n: types.long }),
      { n: 1.5 },
      '/n: expected long, got number 1.5',
    ],
    ['long that is a bigint', types.long, 1n, 'the value: expected long, got bigint 1'],
    ['int64 that is a number', types.int64, 1, 'the value: expected int64, got number 1'],
    [
      'int64 out of range',
      types.int64,
      2n ** 63n,
      'the value: expected int64, got bigint 9223372036854775808',
    ],
    ['int32 that is a bigint', types.int32, 1n, 'the value: expected int32, got bigint 1'],
    ['bytes', types.bytes, 'abc', 'the value: expected bytes, got string "abc"'],
    ['timestamp', types.timestamp, new Date(0), 'the value: expected timestamp, got a Date'],
    [
      'record',
      types.record({ a: types.int32 }),
      'a',
      'the value: expected { a: int32 }, got string "a"',
    ],
    [
      'record with more fields',
      types.record({ a: types.int32 }),
      { b: 1, a: 'a' },
      '/a: expected int32, got string "a"',
    ],
    [
      'union',
      types.union(types.int32, types.list(types.string)),
      [1],
      'the value: expected int32 or list of string, got a list',
    ],
    [
      'primitive',
      { kind: 'primitive' },
      {},
      'the value: expected string, number, bigint or boolean, got an object',
    ],
    [
      'optional that is null',
      types.optional(types.string),
      null,
      'the value: expected string, got null',
    ],
  ];
  test.each(misfits)('names what does not fit: %s', (_, type, value, message) => {
    expect(() => compileCodec<unknown>(type).write(new ByteWriter(), value)).toThrow(
      new TypeError(message),
    );
  });

  test('takes the first alternative of a union that fits, all the way down', () => {
    const type = types.union(
      types.list(types.string),
      types.list(types.int32),
      types.map(types.string),
      types.map(types.int32),
    );
    const codec = compileCodec<unknown>(type);
    const values = [['a'], [1], new Map([['a', 'b']]), new Map([['a', 1]]), []];
    expect(decode(codec, encode(codec, values), values.length)).toEqual(values);
    expect(encode(codec, [[1]])[0]).toBe(1);
  });

  test('a descriptor cannot bring code of its own', () => {
    const evil = `string'; globalThis.pwned = true; '`;
    for (const type of [
      { kind: evil },
      { kind: 'list', element: { kind: evil } },
      { kind: 'union', types: [{ kind: evil }] },
      {},
    ]) {
      expect(() => compileCodec(type as TypeShape)).toThrow(/no type of the kind/);
    }
    const field = `"]; globalThis.pwned = true; v["`;
    const codec = compileCodec<unknown>({ kind: 'record', fields: { [field]: { kind: 'int32' } } });
    expect(decode(codec, encode(codec, [{ [field]: 1 }]), 1)).toEqual([{ [field]: 1 }]);
    expect((globalThis as { pwned?: boolean }).pwned).toBeUndefined();
  });

  test('truncated data is refused, always', () => {
    fc.assert(
      fc.property(typedValues, fc.nat(), ({ type, values }, at) => {
        const codec = compileCodec<unknown>(type);
        const bytes = encode(codec, values.slice(0, 1));
        const reader = new ByteReader(bytes.subarray(0, at % bytes.length));
        expect(() => codec.read(reader)).toThrow(RangeError);
      }),
    );
  });

  test('corrupt data ends in a value or a RangeError, within the bounds of the data', () => {
    fc.assert(
      fc.property(anyType, fc.uint8Array({ maxLength: 300 }), (type, bytes) => {
        const codec = compileCodec<unknown>(type);
        const reader = new ByteReader(bytes);
        try {
          codec.read(reader);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(reader.position).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test('a huge count does not cost time or memory', () => {
    const huge = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    for (const type of [
      types.list(types.record({})),
      types.map(types.record({})),
      types.string,
      types.bytes,
    ]) {
      expect(() => compileCodec<unknown>(type).read(new ByteReader(huge))).toThrow(RangeError);
    }
    expect(() => new ByteReader(new Uint8Array(9).fill(0xff)).varint()).toThrow(/too many bytes/);
  });
});

describe('the codec without a type', () => {
  const anything = fc.anything({
    withBigInt: false,
    withDate: true,
    withMap: true,
    withNullPrototype: false,
    maxDepth: 3,
  });
  const plain = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.every(plain);
    if (value instanceof Map) return [...value].flat().every(plain);
    if (value instanceof Date) return !Number.isNaN(value.getTime());
    if (Object.is(value, -0)) return false; // tested by itself
    if (value === null || typeof value !== 'object') return true;
    return Object.entries(value).every(([name, inner]) => name !== '__proto__' && plain(inner));
  };

  test('gives back any plain data, in one stream with shared structures', () => {
    fc.assert(
      fc.property(fc.array(anything.filter(plain), { maxLength: 20 }), (values) => {
        const bytes = encode(compileCodec<unknown>(null), values);
        expect(decode(compileCodec<unknown>(null), bytes, values.length)).toEqual(values);
      }),
    );
  });

  test('gives −0 as 0, unlike a declared double', () => {
    const read = (codec: () => Codec<unknown>) => decode(codec(), encode(codec(), [-0]), 1);
    expect(read(() => compileCodec(null))).toEqual([0]);
    expect(read(() => compileCodec(types.double))).toEqual([-0]);
  });

  test('keeps what JSON would lose', () => {
    const value = {
      big: 2n ** 62n,
      at: new Date(5),
      map: new Map([[1, 'a']]),
      set: new Set([1]),
      nothing: undefined,
      bytes: new Uint8Array([1, 2]),
    };
    const bytes = encode(compileCodec<unknown>(null), [value]);
    expect(decode(compileCodec<unknown>(null), bytes, 1)).toEqual([value]);
  });

  test('names the fields of a shape once', () => {
    const codec = compileCodec<unknown>(null);
    const writer = new ByteWriter();
    codec.write(writer, { averyratherlongname: 1 });
    const first = writer.position;
    codec.write(writer, { averyratherlongname: 2 });
    expect(writer.position - first).toBeLessThan(first / 2);
  });

  test('more shapes than structures there are still arrive', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => ({
      [`field${i % 300}`]: i,
      shared: true,
    }));
    const bytes = encode(compileCodec<unknown>(null), values);
    expect(decode(compileCodec<unknown>(null), bytes, values.length)).toEqual(values);
  });

  test('what was read does not change when the buffer is used again', () => {
    const bytes = encode(compileCodec<unknown>(null), [
      { text: 'abcdefghijklmnopqrstuvwxyz'.repeat(3), data: Buffer.from('data') },
    ]);
    const read = compileCodec<{ text: string; data: Uint8Array }>(null).read(new ByteReader(bytes));
    bytes.fill(0);
    expect(read.text).toMatch(/^abc.*xyz$/);
    expect(Buffer.from(read.data).toString()).toBe('data');
  });

  test('corrupt data ends in a value or a RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (payload) => {
        const writer = new ByteWriter();
        writer.raw(payload);
        const reader = new ByteReader(writer.written());
        try {
          compileCodec<unknown>(null).read(reader);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        expect(reader.position).toBeLessThanOrEqual(reader.end);
      }),
      { numRuns: 300 },
    );
  });
});

test('the types of a descriptor are those of its values', () => {
  const flight = types.record({
    origin: types.string,
    delay: types.optional(types.int32),
    tags: types.list(types.string),
  });
  const codec = compileCodec<{ origin: string; delay?: number; tags: string[] }>(flight);
  const value = { origin: 'ATL', tags: ['a'] };
  expect(decode(codec as Codec<unknown>, encode(codec as Codec<unknown>, [value]), 1)).toEqual([
    value,
  ]);
  expect(() => types.record({ ['__proto__']: types.string })).toThrow(/__proto__/);
  expect(() => types.union()).toThrow(/1 to 256/);
  expect(types.optional(types.optional(types.string))).toEqual(types.optional(types.string));
  expect(fc.sample(valueOf(flight), 1)).toHaveLength(1);
});
