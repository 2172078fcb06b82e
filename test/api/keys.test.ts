import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compileKeyGroup,
  compileKeyHash,
  compileKeyText,
  defaultMaxParallelism,
  flinkMurmurHash,
  isIdentityKey,
  murmur3,
  subtaskOf,
  whyNoKey,
} from '../../src/api/keys.ts';
import { type TypeShape, types } from '../../src/api/types.ts';
import { anyType, valueOf } from './arbitrary-type.ts';

const primitive: TypeShape = { kind: 'primitive' };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Flink's MathUtils.murmurHash, as it is published in Java, with arithmetic that cannot go wrong. */
function published(value: number): number {
  const int = (n: bigint) => BigInt.asUintN(32, n);
  const rotateLeft = (n: bigint, by: bigint) => int((n << by) | (n >> (32n - by)));
  let code = int(BigInt(value) * 0xcc9e2d51n);
  code = rotateLeft(code, 15n);
  code = int(code * 0x1b873593n);
  code = rotateLeft(code, 13n);
  code = int(code * 5n + 0xe6546b64n);
  code ^= 4n;
  code ^= code >> 16n;
  code = int(code * 0x85ebca6bn);
  code ^= code >> 13n;
  code = int(code * 0xc2b2ae35n);
  code ^= code >> 16n;
  const signed = Number(BigInt.asIntN(32, code));
  if (signed >= 0) return signed;
  return signed === -(2 ** 31) ? 0 : -signed;
}

describe('hashes', () => {
  test.each([
    ['', 0],
    ['test', 0xba6bd213],
    ['Hello, world!', 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('murmur3 of %j is the published one', (text, hash) => {
    expect(murmur3(utf8(text), utf8(text).length) >>> 0).toBe(hash);
  });

  test("murmurHash is Flink's", () => {
    fc.assert(
      fc.property(fc.integer(), (code) => {
        expect(flinkMurmurHash(code)).toBe(published(code));
        expect(flinkMurmurHash(code)).toBeGreaterThanOrEqual(0);
      }),
      { examples: [[0], [1], [-1], [2 ** 31 - 1], [-(2 ** 31)]], numRuns: 1000 },
    );
  });
});

describe('key groups', () => {
  // Part of the savepoint format: these values never change.
  const golden: readonly (readonly [TypeShape, unknown, number, number])[] = [
    [types.string, 'ATL', 575515635, 38],
    [types.string, 'Zürich', -1304678146, 22],
    [types.string, '', 1364076727, 104],
    [types.string, 'x'.repeat(200), 200958161, 31],
    [types.int32, 42, -1134849565, 5],
    [types.int32, -1, 1982413648, 39],
    [types.int64, 42n, 1871679806, 99],
    [types.long, 42, 1871679806, 99], // the bytes of the equal int64
    [types.long, Number.MIN_SAFE_INTEGER, -19448363, 103],
    [types.double, 1.5, -260406309, 0],
    [types.double, Number.NaN, 1428788237, 80],
    [types.timestamp, 1_700_000_000_000, -112283772, 115],
    [types.boolean, true, -463810133, 72],
    [types.bytes, new Uint8Array([1, 2, 3]), 273505700, 1],
    [primitive, 'ATL', 1893308187, 46],
    [primitive, 42, 537746567, 19],
    [primitive, 42n, -106405618, 18],
    [primitive, false, 1400651155, 108],
    [
      types.record({ a: types.string, b: types.optional(types.int32) }),
      { a: 'x' },
      -1801311172,
      100,
    ],
    [
      types.record({ a: types.string, b: types.optional(types.int32) }),
      { a: 'x', b: 7 },
      -1506455659,
      3,
    ],
    [types.list(types.int32), [1, 2], 643344442, 26],
  ];
  test('never change', () => {
    for (const [type, key, hash, group] of golden) {
      expect([key, compileKeyHash(type)(key), compileKeyGroup(type, 128)(key)]).toEqual([
        key,
        hash,
        group,
      ]);
    }
  });

  test('equal keys have equal groups, whatever their representation', () => {
    for (const type of [types.double, primitive, types.timestamp]) {
      const hash = compileKeyHash(type);
      const payload = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0]!;
      expect(hash(-0)).toBe(hash(0));
      expect(hash(payload)).toBe(hash(Number.NaN));
    }
    const record = types.record({ a: types.double, b: types.optional(types.list(types.double)) });
    expect(compileKeyText(record)({ b: [-0], a: 1 })).toBe(
      compileKeyText(record)({ a: 1, b: [0] }),
    );
  });

  test('keys of different kinds are different', () => {
    const text = compileKeyText(primitive);
    expect(new Set([text('1'), text(1), text(1n), text(true)]).size).toBe(4);
  });

  const keyType = anyType.filter((type) => whyNoKey(type) === null);
  test('the text of a key is equal exactly for equal keys', () => {
    const pairs = keyType.chain((type) =>
      fc.record({ type: fc.constant(type), a: valueOf(type), b: valueOf(type) }),
    );
    fc.assert(
      fc.property(pairs, ({ type, a, b }) => {
        const text = compileKeyText(type);
        expect(text(a)).toBe(text(structuredClone(a)));
        expect(text(a) === text(b)).toBe(isDeepStrictEqual(withoutSign(a), withoutSign(b)));
      }),
    );
  });

  test('every group belongs to one subtask, in ranges of nearly the same size', () => {
    const scales = fc
      .integer({ min: 1, max: 200 })
      .chain((max) => fc.tuple(fc.integer({ min: 1, max }), fc.constant(max)));
    fc.assert(
      fc.property(scales, ([parallelism, maxParallelism]) => {
        const owners = Array.from({ length: maxParallelism }, (_, group) =>
          subtaskOf(group, parallelism, maxParallelism),
        );
        expect(owners).toEqual(owners.toSorted((a, b) => a - b));
        const sizes = Array.from(
          { length: parallelism },
          (_, subtask) => owners.filter((o) => o === subtask).length,
        );
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('the default max parallelism is that of Flink', () => {
    const expected = {
      1: 128,
      85: 128,
      86: 256,
      128: 256,
      170: 256,
      171: 256,
      172: 512,
      10_000: 16_384,
      21_845: 32_768,
      32_768: 32_768,
    };
    for (const [parallelism, max] of Object.entries(expected)) {
      expect(defaultMaxParallelism(Number(parallelism))).toBe(max);
    }
  });

  test('what is no key is refused when the job is built, and says why', () => {
    expect(whyNoKey(null)).toMatch(/not declared/);
    expect(whyNoKey(types.record({ a: types.map(types.string) }))).toMatch(/order of the entries/);
    expect(whyNoKey(types.list(types.union(types.int32, types.double)))).toMatch(
      /several alternatives/,
    );
    expect(whyNoKey(types.record({ a: types.optional(types.bytes) }))).toBeNull();
    expect(() => compileKeyGroup(types.map(types.string), 128)).toThrow(
      /a map of string cannot be a key/,
    );
  });

  test('a key that does not fit says what to do', () => {
    expect(() => compileKeyGroup(primitive, 128)({ a: 1 })).toThrow(
      'the key of a record does not fit: the value: expected string, number, bigint or boolean, got an object. ' +
        'Other keys need their type declared: keyBy(selector, { type })',
    );
    expect(() => compileKeyGroup(types.record({ a: types.string }), 128)({ a: 1 })).toThrow(
      /\/a: expected string, got number 1$/,
    );
    expect(() => compileKeyGroup(primitive, 128)(undefined)).toThrow(/it is missing/);
  });

  test('a Map can hold identity keys as they are', () => {
    expect([types.string, types.long, types.int64, primitive].map(isIdentityKey)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([types.bytes, types.list(types.string), types.record({})].map(isIdentityKey)).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('a long key after a short one, and the other way round', () => {
    const text = compileKeyText(types.string);
    const [short, long] = ['a', 'b'.repeat(5000)];
    expect([text(short).length, text(long).length, text(short).length]).toEqual([2, 5002, 2]);
  });
});

/** −0 and 0 are one key. */
function withoutSign(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(withoutSign);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, withoutSign(inner)]),
  );
}
