import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxClusterIdLength, parseClusterId } from '../../src/contract/cluster-id.ts';
import { UsageError } from '../../src/contract/errors.ts';

describe('the id of a cluster', () => {
  it.each(['ab', 'a0', 'flights-3fa9-1', 'a--b', `a${'-'.repeat(38)}b`, 'a'.repeat(40)])(
    'may be %j',
    (text) => expect(parseClusterId(text)).toBe(text),
  );

  it.each([
    '',
    ' ',
    '.',
    '..',
    '../..',
    'a',
    'a/b',
    '/etc',
    '~',
    'Flights',
    'flights-',
    '-flights',
    '0flights',
    'flights\n',
    'flights ',
    'flights.old',
    'flights_old',
    'flüge',
    'a\0b',
    '*',
    'a'.repeat(41),
  ])('is never %j', (text) => expect(() => parseClusterId(text)).toThrow(UsageError));

  it('says that a variable may have been empty, and quotes what was given on one line', () => {
    expect(() => parseClusterId('')).toThrow(
      'the id of the cluster is empty: it must be 2 to 40 of a-z, 0-9 and -',
    );
    expect(() => parseClusterId('a\nb')).toThrow("'a\\nb' is no id of a cluster");
    expect(() => parseClusterId('x'.repeat(1e6))).toThrow(/^.{60,200}$/);
  });

  it('is one folder below any other, whatever was given', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.string({
        unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '.', '/', '\\', '~', '$', '\n'),
      }),
    );
    fc.assert(
      fc.property(text, (given) => {
        let id: string;
        try {
          id = parseClusterId(given);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        expect(id).toBe(given);
        expect(id.length).toBeLessThanOrEqual(maxClusterIdLength);
        expect(join('/home/clusters', id).split('/')).toEqual(['', 'home', 'clusters', id]);
      }),
    );
  });
});
