import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFailure, shortFailure, shortText } from '../../src/contract/failure.ts';

const limit = 16 * 1024;

it('a failure keeps short texts, and the beginning and the end of long ones', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(40_000), (part, times) => {
      const text = part.repeat(Math.ceil(times / part.length));
      const short = shortText(text);
      if (text.length <= limit) {
        expect(short).toBe(text);
        return;
      }
      expect(short.length).toBeLessThanOrEqual(limit);
      expect([short[0], short.at(-1)]).toEqual([text[0], text.at(-1)]);
    }),
  );
});

it('a failure is short in all its texts, and says nothing that was not given', () => {
  const long = 'x'.repeat(5_000_000);
  const failure = createFailure(long, { stack: `Error: ${long}\n    at user.ts:1`, task: 'Map' });
  expect(JSON.stringify(failure).length).toBeLessThan(2 * limit + 100);
  expect(failure.stack).toMatch(/ at user\.ts:1$/);
  expect(failure).toMatchObject({ task: 'Map', location: null });
  expect('kind' in failure).toBe(false);
  expect(shortFailure({ ...failure, kind: 'slot-lost' })).toEqual({
    ...failure,
    kind: 'slot-lost',
  });
});
