import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNaturally } from '../../../src/connectors/files/natural-order.ts';

test.each([
  ['numbers by their value', ['part-0', 'part-1', 'part-2', 'part-10', 'part-11', 'part-100']],
  ['several numbers', ['2024-1-31', '2024-2-3', '2024-11-2', '2025-1-1']],
  [
    'numbers that no double holds',
    ['x9007199254740992', 'x9007199254740993', 'x10000000000000000000'],
  ],
  ['the same value, written in several ways', ['a007', 'a07', 'a7', 'a7b']],
  ['folder by folder', ['a/9', 'a/10', 'a/b/1', 'a-b/1', 'a0/1']],
  ['partitions', ['day=2/part-1', 'day=2/part-10', 'day=10/part-1']],
  ['what begins alike', ['a', 'a.csv', 'a1', 'aa', 'b']],
])('%s', (_what, wanted) => {
  expect(wanted.toReversed().sort(compareNaturally)).toEqual(wanted);
});

test('is a total order', () => {
  const path = fc.string({
    unit: fc.constantFrom('a', 'b', '0', '1', '9', '/', '-', '.'),
    maxLength: 8,
  });
  fc.assert(
    fc.property(path, path, path, (a, b, c) => {
      const [ab, ba, bc, ac] = [
        compareNaturally(a, b),
        compareNaturally(b, a),
        compareNaturally(b, c),
        compareNaturally(a, c),
      ];
      expect(Math.sign(ab)).toBe(0 - Math.sign(ba));
      expect(ab === 0).toBe(a === b);
      if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
});
