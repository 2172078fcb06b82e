import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { MASK, Redactor, joinSecrets, splitSecrets } from '../../src/contract/secrets.ts';

const secret = fc.string({ minLength: 4, unit: 'binary' }).filter((s) => !MASK.includes(s));

describe('Redactor', () => {
  it('masks a secret wherever it stands, also inside JSON', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const redactor = new Redactor([value]);
        expect(redactor.mask(before + value + after)).not.toContain(value);
        const json = JSON.stringify({ text: before + value + after });
        expect(JSON.stringify(JSON.parse(redactor.mask(json)))).not.toContain(
          JSON.stringify(value).slice(1, -1),
        );
      }),
    );
  });

  it('masks the longer of two secrets whole', () => {
    const redactor = new Redactor(['abcd', 'abcdefgh']);
    expect(redactor.mask('x abcdefgh y abcd')).toBe(`x ${MASK} y ${MASK}`);
  });

  it('leaves short values alone, which would hit half of all words', () => {
    expect(new Redactor(['a', '']).mask('banana')).toBe('banana');
  });

  it('learns more while it is in use', () => {
    const redactor = new Redactor();
    redactor.add(['hunter2']);
    expect(redactor.maskBytes(Buffer.from('it is hunter2'))).toBe(`it is ${MASK}`);
  });

  it('returns bytes without a secret as they are', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    expect(new Redactor(['hunter2']).maskBytes(bytes)).toBe(bytes);
  });
});

describe('splitSecrets', () => {
  it('takes out what joinSecrets puts back', () => {
    const pointersOf = (value: unknown, at: string): string[] => {
      if (typeof value === 'string') return [at];
      if (value === null || typeof value !== 'object') return [];
      return Object.entries(value).flatMap(([key, inner]) =>
        pointersOf(inner, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
      );
    };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (any, seed) => {
        const args = JSON.parse(JSON.stringify(any)) as JsonObject;
        const chosen = pointersOf(args, '').filter((_, index) => (seed >> (index % 31)) & 1);
        const { masked, secrets } = splitSecrets(args, chosen);
        expect(Object.keys(secrets).sort()).toEqual([...new Set(chosen)].sort());
        for (const pointer of chosen) {
          const at = pointer.split('/').slice(1);
          const found = at.reduce<unknown>(
            (value, part) =>
              (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
            masked,
          );
          expect(found).toBe(MASK);
        }
        expect(joinSecrets(masked, secrets)).toEqual(args);
      }),
    );
  });
});
