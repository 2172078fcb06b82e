/** Times and numbers as other tools write them. */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  formatTimestamp,
  parseBoolean,
  parseBytes,
  parseDouble,
  parseInt32,
  parseInt64,
  parseTimestamp,
} from '../../src/api/scalar-text.ts';

const iso = (text: string) => {
  const ms = parseTimestamp(text);
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

describe('times', () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env['TZ'];
    else process.env['TZ'] = TZ;
  });

  test.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-01-01 10:00', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01 10:00:00', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01T10:00:00Z', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01T10:00:00.5+02:00', '2024-01-01T08:00:00.500Z'],
    ['2024-01-01 10:00:00+02', '2024-01-01T08:00:00.000Z'],
    ['2024-01-01 10:00:00-0530', '2024-01-01T15:30:00.000Z'],
    ['2024-01-01 10:00:00 UTC', '2024-01-01T10:00:00.000Z'],
    ['2024-01-01 10:00:00 +00:00', '2024-01-01T10:00:00.000Z'],
    [' 2024-01-01 ', '2024-01-01T00:00:00.000Z'],
    ['2023-12-31T23:59:59.999999999', '2023-12-31T23:59:59.999Z'],
    ['1969-12-31T23:59:59.999999', '1969-12-31T23:59:59.999Z'],
    ['2023-12-31T24:00:00', '2024-01-01T00:00:00.000Z'],
    ['0024-03-01', '0024-03-01T00:00:00.000Z'],
    ['+275760-09-13T00:00:00.000Z', '+275760-09-13T00:00:00.000Z'],
    ['-000001-01-01T00:00:00Z', '-000001-01-01T00:00:00.000Z'],
  ])('%s is %s, wherever it is read', (text, wanted) => {
    for (const zone of ['UTC', 'America/New_York', 'Asia/Kathmandu']) {
      process.env['TZ'] = zone;
      expect(iso(text)).toBe(wanted);
    }
  });

  test.each([
    '2023-02-29',
    '2023-02-30',
    '2024-06-31T10:00:00Z',
    '1900-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-01-01 24:00:01',
    '2024-01-01T10:60',
    '2024-01-01T10:00:60',
    '2024-01-01T10',
    '2024-01-01 10:00:00+24',
    '2024-01-01 10:00:00 CET',
    '2024-01-01  10:00',
    '2024-01-01(x)',
    '01/02/2024',
    '2024-1-1',
    '24-01-01',
    'Jan 1 2024',
    'yesterday',
    '',
    ' ',
    '2024',
    '202401',
    '20240101',
    '19991231',
    '20240101103000',
    '0x10',
    '1e400',
    '+275760-09-13T00:00:00.001Z',
  ])('%j is no time', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test.each([
    ['0', 0],
    ['-1', -1],
    ['86400000', 86_400_000],
    ['1704067199999', 1_704_067_199_999],
    ['1704067199999.999', 1_704_067_199_999.999],
    ['20240140', 20_240_140], // no day
    ['1000', 1000],
  ])('%s are milliseconds', (text, wanted) => {
    expect(parseTimestamp(text)).toBe(wanted);
  });

  test('every time comes back from its text', () => {
    const compact = fc.constantFrom(1999, 2024, 202_401, 20_240_101, 20_240_101_103_000);
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), compact), (ms) => {
        expect(parseTimestamp(formatTimestamp(ms))).toBe(ms);
      }),
    );
  });

  test('any day and time is read as Date makes it', () => {
    const range = { min: new Date(-8.64e15), max: new Date(8.64e15), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(range), (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
      }),
    );
  });
});

describe('numbers, truth values and bytes', () => {
  test.each([
    [parseInt32, '2147483647', 2_147_483_647],
    [parseInt32, '2147483648', undefined],
    [parseInt32, '-2147483648', -2_147_483_648],
    [parseInt32, '-0', 0],
    [parseInt32, ' +5 ', 5],
    [parseInt32, '1.0', undefined],
    [parseInt32, '1e3', undefined],
    [parseInt32, '0x1F', undefined],
    [parseInt32, '', undefined],
    [parseInt64, '9223372036854775807', 2n ** 63n - 1n],
    [parseInt64, '9223372036854775808', undefined],
    [parseInt64, '-9223372036854775808', -(2n ** 63n)],
    [parseInt64, '+7', 7n],
    [parseInt64, '1.5', undefined],
    [parseDouble, '1.5e-3', 0.0015],
    [parseDouble, '.5', 0.5],
    [parseDouble, '5.', 5],
    [parseDouble, '-0', -0],
    [parseDouble, 'NaN', Number.NaN],
    [parseDouble, 'nan', Number.NaN],
    [parseDouble, '-inf', Number.NEGATIVE_INFINITY],
    [parseDouble, 'Infinity', Number.POSITIVE_INFINITY],
    [parseDouble, '1e309', undefined],
    [parseDouble, '1,5', undefined],
    [parseDouble, '0x10', undefined],
    [parseDouble, '', undefined],
    [parseBoolean, 'TRUE', true],
    [parseBoolean, 'False', false],
    [parseBoolean, '0', false],
    [parseBoolean, 'yes', undefined],
    [parseBoolean, '', undefined],
    [parseBytes, 'AQI=', new Uint8Array([1, 2])],
    [parseBytes, 'AQI', new Uint8Array([1, 2])],
    [parseBytes, '_-8', new Uint8Array([255, 239])],
    [parseBytes, '', new Uint8Array()],
    [parseBytes, 'A', undefined],
    [parseBytes, 'AQ I', undefined],
    [parseBytes, 'no bytes!', undefined],
  ] as const)('%o of %j', (parse, text, wanted) => {
    expect(parse(text)).toEqual(wanted);
  });
});
