/** Lines to rows: what other tools write, and what nobody should. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvError, CsvRows } from '../../../src/connectors/files/csv-rows.ts';

interface Dialect {
  readonly separator?: string;
  readonly quote?: string | null;
  readonly keepsBlank?: boolean;
}

/** Rows, and errors as `LINE: why` in their place. */
function rows(text: string, { separator = ',', quote, keepsBlank = false }: Dialect = {}) {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const parser = new CsvRows({ separator, quote }, { keepsBlank, width: null });
  const found: (readonly string[] | string)[] = [];
  for (;;) {
    try {
      const next = parser.next(
        () => lines.shift() ?? null,
        () => true,
      );
      if (next === null) break;
      found.push(next.row.fields);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      found.push(`${error.line}: ${error.message}`);
    }
  }
  expect(parser.isBetweenRows).toBe(true);
  return found;
}

const neverClosed = (line: number) =>
  expect.stringMatching(`^${line}: .*never closed.*\`quote: null\``);

describe('rows of CSV', () => {
  test.each([
    ['quotes, separators and line ends in quotes', '"a,""b""\n\nc",d\n', [['a,"b"\n\nc', 'd']]],
    [
      'CRLF stays within quotes',
      '"a\r\nb",c\r\nd,e\r\n',
      [
        ['a\r\nb', 'c'],
        ['d', 'e'],
      ],
    ],
    ['two fields of several lines', 'x,"a\nb","c\nd"\n', [['x', 'a\nb', 'c\nd']]],
    ['quotes alone', '"""",""\n""""""\n', [['"', ''], ['""']]],
    ['quotes inside', 'a "b" c,5"\n', [['a "b" c', '5"']]],
    ['text behind quotes', '"a" b,c\n', [['"a" b', 'c']]],
    [
      'blank lines',
      '\na,b\n\n\r\nc,d\n\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['separators alone', ',\n', [['', '']]],
    ['nothing', '', []],
  ])('%s', (_what, text, wanted) => {
    expect(rows(text)).toEqual(wanted);
  });

  test('without quotes every character but the separator is a letter', () => {
    expect(rows('"a,b"\n"c,d\n', { quote: null })).toEqual([
      ['"a', 'b"'],
      ['"c', 'd'],
    ]);
  });

  test('another quote, and a separator of several characters', () => {
    expect(rows(`'a''||"'||b\n`, { quote: "'", separator: '||' })).toEqual([[`a'||"`, 'b']]);
  });

  test('blank lines are rows in a file of one column that says so, and in no other', () => {
    expect(rows('a\n\nb\n', { keepsBlank: true })).toEqual([['a'], [''], ['b']]);
    expect(rows('\na,b\n\nc,d\n', { keepsBlank: true })).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test.each([
    ['to the end of the file', 'a,b\n"c,d\ne,f\n', [['a', 'b'], neverClosed(2), ['e', 'f']]],
    [
      'to a quote of another row',
      'a,b\n"c,d\n"e,"f\n',
      [['a', 'b'], neverClosed(2), neverClosed(3)],
    ],
    ['in the last field', 'a,"b\nc,d\n', [neverClosed(1), ['c', 'd']]],
    ['in the last line', 'a,b\nc,"d\n', [['a', 'b'], neverClosed(2)]],
    ['behind a row of several lines', '"a\nb",c\n"d\n', [['a\nb', 'c'], neverClosed(3)]],
  ])('a quote that is never closed costs its first line alone: %s', (_what, text, wanted) => {
    expect(rows(text)).toEqual(wanted);
  });

  test('a field that has lost its quote does not take in the rest of a large file', () => {
    const line = `${'x'.repeat(1000)},y`;
    const text = `a,b\n"c,d\n${`${line}\n`.repeat(20_000)}`;
    const found = rows(text);
    expect(found.slice(0, 2)).toEqual([['a', 'b'], neverClosed(2)]);
    expect(found).toHaveLength(20_002);
  });
});

describe('against csv-parse', () => {
  test('texts that keep to RFC 4180 give the same rows', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'ü'),
      maxLength: 6,
    });
    const write = (text: string) =>
      /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width })));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (wanted, end) => {
        const text = wanted.map((row) => row.map(write).join(',') + end).join('');
        expect(rows(text)).toEqual(wanted);
        expect(parse(text, { record_delimiter: ['\r\n', '\n'] })).toEqual(wanted);
      }),
    );
  });
});

describe('files separated by tabs', () => {
  const tabs = (text: string, quote?: string) =>
    rows(text.replaceAll('|', '\t'), { separator: '\t', ...(quote && { quote }) });

  test.each([
    ['a quote that another row closes', 'a|b|c\n1|"x|y\n2|m|n\n3|z"|w\n', 4],
    ['a quote that nobody closes', 'a|b|c\n1|"x|y\n2|m|n\n', 3],
    ['a quote that a third row opens', 'a|b|c\n1|"x|y\n2|"m|n\n3|z"|w\n', 4],
  ])('%s joins no rows', (_what, text, count) => {
    const wanted = text
      .split('\n')
      .slice(0, count)
      .map((line) => line.split('|'));
    expect(tabs(text)).toEqual(wanted);
  });

  test('a quote that is named encloses in any case', () => {
    expect(tabs('a|b|c\n1|"x|y\n2|m|n\n3|z"|w\n', '"')).toEqual([
      ['a', 'b', 'c'],
      ['1', 'x\ty\n2\tm\tn\n3\tz', 'w'],
    ]);
  });

  test('fields of several lines of which each line is no row stay together', () => {
    expect(tabs('a|b\n"x\ny"|"z ""q"""\n')).toEqual([
      ['a', 'b'],
      ['x\ny', 'z "q"'],
    ]);
  });

  test('where all fields are quoted, quotes enclose', () => {
    expect(tabs('a|b\n"x|1\ny"|"2"\n')).toEqual([
      ['a', 'b'],
      ['x\t1\ny', '2'],
    ]);
  });
});
