import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TumblingEventTimeWindows } from '../../src/api/windows.ts';

const hour = 3_600_000;
const of = (size: string | number, offset?: string | number) => {
  const assigner = TumblingEventTimeWindows.of(size, offset);
  if (assigner.kind !== 'tumbling-event-time') throw new Error(assigner.kind);
  return assigner;
};

describe('offsets of windows', () => {
  test.each([
    ['1d', '-8h', 16 * hour],
    ['1d', -8 * hour, 16 * hour],
    ['1d', '16h', 16 * hour],
    ['1d', '-32h', 16 * hour],
    ['1h', '-1h', 0],
    ['1h', 0, 0],
  ])('%s with %s', (size, offset, offsetMs) => {
    expect(of(size, offset).offsetMs).toBe(offsetMs);
  });

  test.each(['-', '--8h', '-8', '- 8h', 'x'])('%j is none', (offset) => {
    expect(() => of('1d', offset)).toThrow('is not a duration');
  });

  test('are within the window, and a whole number of windows away from what was given', () => {
    const offset = fc.integer({ min: -(10 ** 12), max: 10 ** 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 9 }), offset, (size, given) => {
        const { offsetMs } = of(size, given);
        expect(offsetMs >= 0 && offsetMs < size).toBe(true);
        expect(Math.abs(given - offsetMs) % size).toBe(0);
      }),
    );
  });
});
