/** Arguments are read by their declared type. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JobDefinition, defineJob } from '../../src/api/job.ts';
import { type TypeDescriptor, type TypeShape, types } from '../../src/api/types.ts';
import { parseExactJson } from '../../src/contract/exact-json.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { argumentsAsJson, readArguments } from '../../src/graph/arguments.ts';

function read(type: TypeShape, value: unknown): unknown {
  const args = types.record({ v: type as TypeDescriptor<unknown> });
  const job = defineJob('job', { args }, () => {});
  return readArguments(job as JobDefinition, { v: value } as JsonObject, null)['v'];
}

describe('arguments', () => {
  test.each([
    ['digits for a text', types.string, 12345, '12345'],
    ['a truth value for a text', types.string, true, 'true'],
    ['a fraction for a text', types.string, -0.5, '-0.5'],
    ['text for a text', types.string, '0501', '0501'],
    ['digits for a long', types.long, '-9007199254740991', -9007199254740991],
    ['digits for an integer', types.int32, '0501', 501],
    ['a text for a double', types.double, '1.10', 1.1],
    ['an exponent', types.double, '1e3', 1000],
    ['a word for a truth value', types.boolean, 'true', true],
    ['a day', types.timestamp, '2024-02-29', Date.UTC(2024, 1, 29)],
    ['null for what may be absent', types.optional(types.string), null, undefined],
    ['digits for an int64', types.int64, '1234567890123456789', 1234567890123456789n],
    ['the least int64', types.int64, '-9223372036854775808', -9223372036854775808n],
    ['a number that is exact for an int64', types.int64, 9007199254740991, 9007199254740991n],
    ['an int64 that may be absent', types.optional(types.int64), '+07', 7n],
    ['a list of int64', types.list(types.int64), ['1', 2], [1n, 2n]],
    ['numbers in a list', types.list(types.string), [1, 'b', 2.5], ['1', 'b', '2.5']],
    [
      'fields of a record',
      types.record({ a: types.string, b: types.int32 }),
      { a: 1, b: '2' },
      { a: '1', b: 2 },
    ],
    ['what fits an alternative', types.union(types.int32, types.string), '5', '5'],
    ['what fits another alternative', types.union(types.string, types.double), -5, -5],
    ['what can be read as an alternative', types.union(types.int32, types.boolean), '5', 5],
  ])('%s', (_what, type, given, wanted) => {
    expect(read(type, given)).toEqual(wanted);
  });

  test.each([
    ['a list for a text', types.string, [1], 'expected string, got a list'],
    ['null for a text', types.string, null, 'expected string, got null'],
    [
      'a long that a number does not hold exactly',
      types.long,
      '9007199254740993',
      'expected long, got string "9007199254740993"',
    ],
    ['a fraction for an integer', types.int32, '1.5', 'expected int32, got string "1.5"'],
    [
      'too many digits for an integer',
      types.int32,
      '9007199254740993',
      'got string "9007199254740993"',
    ],
    ['a word for a number', types.double, 'much', 'expected double, got string "much"'],
    ['what JSON has not', types.double, 'NaN', 'expected double, got string "NaN"'],
    ['a number for a truth value', types.boolean, 1, 'expected boolean, got number 1'],
    ['digits beyond 64 bits', types.int64, '9223372036854775808', 'expected int64, got string'],
    ['a fraction for an int64', types.int64, 1.5, 'expected int64, got number 1.5'],
    ['a number beyond 2^53 for an int64', types.int64, 2 ** 53, 'got number 9007199254740992'],
    ['no day', types.timestamp, '2024-02-30', 'expected timestamp, got string "2024-02-30"'],
  ])('%s is refused', (_what, type, given, message) => {
    expect(() => read(type, given)).toThrow(message);
  });

  test('are the same when they are read again, in another process', () => {
    const type = types.record({
      s: types.string,
      n: types.optional(types.double),
      u: types.union(types.int32, types.string),
    });
    const value = fc.record({
      s: fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
      n: fc.oneof(
        fc.constant(null),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      ),
      u: fc.oneof(fc.integer(), fc.string()),
    });
    fc.assert(
      fc.property(value, (given) => {
        const once = read(type, given);
        expect(read(type, JSON.parse(JSON.stringify(once)))).toEqual(
          JSON.parse(JSON.stringify(once)),
        );
      }),
    );
  });

  test('say of a number that may have lost digits how to write it', () => {
    expect(() => read(types.list(types.int64), [2 ** 60])).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ hint: expect.stringContaining('write it as text of digits') }),
        ],
      }),
    );
  });

  test('every int64 is what was written, and again in another process', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (wanted) => {
        const value = read(types.int64, parseExactJson(String(wanted)));
        expect(value).toBe(wanted);
        const json = JSON.stringify(argumentsAsJson({ v: value }));
        expect(json).toBe(`{"v":"${wanted}"}`);
        expect(read(types.int64, (JSON.parse(json) as JsonObject)['v'])).toBe(wanted);
      }),
      { examples: [[1234567890123456800n], [2n ** 53n], [-(2n ** 63n)]] },
    );
  });

  test('any number keeps its text, for whoever declares text', () => {
    const digits = fc.stringMatching(/^-?[1-9]\d{0,24}(\.\d{1,25})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(read(types.string, parseExactJson(text))).toBe(text);
      }),
    );
  });
});
