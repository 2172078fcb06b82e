/** Arguments as Flink's clients give them, to those of an application. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../../../src/runtime/rest/http-error.ts';
import { parseArguments, splitArguments } from '../../../src/runtime/rest/program-arguments.ts';

const parse = (line: string) => parseArguments(splitArguments(line));

describe('program arguments', () => {
  it.each([
    ['', {}],
    ['  ', {}],
    ['--input a.csv', { input: 'a.csv' }],
    ['-input a.csv -n 3', { input: 'a.csv', n: 3 }],
    ['--input=a.csv --n=3', { input: 'a.csv', n: 3 }],
    ['--where a=b', { where: 'a=b' }],
    ['--where=a=b', { where: 'a=b' }],
    ['--on --off false', { on: true, off: false }],
    ['--below -3.5', { below: -3.5 }],
    ['--last', { last: true }],
    [`--a "b c" --d 'e "f"'`, { a: 'b c', d: 'e "f"' }],
    ['--list ["a","b"]', { list: ['a', 'b'] }],
    [`--text '"5"'`, { text: '5' }],
    ['--empty ""', { empty: '' }],
    [' {"a": {"b c": 1}} ', { a: { 'b c': 1 } }],
    ['--city="New York" --n=1', { city: 'New York', n: 1 }],
    [`--city='New York'`, { city: 'New York' }],
    [`--jaas="user=\\"u\\";" --x y`, { jaas: 'user="u";', x: 'y' }],
    [String.raw`--folder "C:\data\"`, { folder: 'C:\\data\\' }],
    ['--a b\n--c d\n', { a: 'b', c: 'd' }],
    ['--password a#b$c%d&e;f', { password: 'a#b$c%d&e;f' }],
    ['--password "-x" --more "--y"', { password: '-x', more: '--y' }],
    ['--password=-x', { password: '-x' }],
    ['--a 1 --a 2', { a: 2 }],
    [
      '--id 1234567890123456789 --v 1.10 --zip 01234',
      { id: '1234567890123456789', v: '1.10', zip: '01234' },
    ],
    ['--list [1.0,12345678901234567890]', { list: ['1.0', '12345678901234567890'] }],
    ['{"id": 1234567890123456789, "n": 5}', { id: '1234567890123456789', n: 5 }],
    ['--user null --x NaN', { user: 'null', x: 'NaN' }],
  ])('are read: %j', (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  it.each([['x'], ['--a 1 x'], ['{"a": 1'], ['{"a": 1} --b 2'], ['- 1'], ['-1 2']])(
    'are refused where they are neither: %j',
    (line) => {
      expect(() => parse(line)).toThrow(HttpError);
    },
  );

  it.each([
    [['--password', '-Xyz'], { password: '-Xyz' }],
    [['--separator', '--'], { separator: '--' }],
    [['--jaas', 'user="u" p'], { jaas: 'user="u" p' }],
    [['--on', '--off', 'x'], { on: true, off: 'x' }],
    [['--city', 'New York', '-n', '-2'], { city: 'New York', n: -2 }],
    [['-on', '-off'], { on: true, off: true }],
    [['--password=--x'], { password: '--x' }],
    [['--empty', '', '--q', '"'], { empty: '', q: '"' }],
  ])('of a list arrive as given: %j', (words, expected) => {
    expect(parseArguments(words)).toEqual(expected);
  });

  it('may be any object, as JSON, where whole numbers from 2^53 on are the texts that they are', () => {
    const isBeyond = (value: unknown) => typeof value === 'number' && Math.abs(value) >= 2 ** 53;
    const keepText = (_name: string, value: unknown) =>
      isBeyond(value) ? JSON.stringify(value) : value;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (args) => {
        const text = JSON.stringify(args);
        expect(parse(text)).toEqual(JSON.parse(text, keepText));
      }),
      { examples: [[{ a: [2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1e300, 0.5] }]] },
    );
  });

  it.each(['--id 1234567890123456800', '--id=1234567890123456800', '{"id":1234567890123456800}'])(
    'keep every digit that a double only prints: %s',
    (line) => {
      expect(parse(line)).toEqual({ id: '1234567890123456800' });
    },
  );

  it('may be anything: they are read or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        try {
          expect(typeof parseArguments(words)).toBe('object');
        } catch (error) {
          expect(error).toBeInstanceOf(HttpError);
        }
      }),
    );
  });

  it('keep names and texts as they are, in both forms', () => {
    const name = fc.stringMatching(/^[A-Za-z_][\w.-]*$/);
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((t) => !isJson(t) && !/^--?[A-Za-z_]/.test(t));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, text), { selector: ([n]) => n }), (pairs) => {
        const expected = Object.fromEntries(pairs);
        expect(parseArguments(pairs.flatMap(([n, t]) => [`--${n}`, t]))).toEqual(expected);
        expect(parseArguments(pairs.map(([n, t]) => `--${n}=${t}`))).toEqual(expected);
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
