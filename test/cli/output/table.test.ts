import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import measure from 'fast-string-truncated-width';
import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/output/table.ts';
import { ago, localTime, when } from '../../../src/cli/output/times.ts';

const stringWidth = (text: string) => measure(text).width;
const plain = (text: string) => stripVTControlCharacters(text).split('\n');

describe('a table', () => {
  it('stands in columns, whatever alphabet is in its cells', () => {
    const rows = [
      ['航班', 'x'],
      ['flights 🛫', 'x'],
      ['\u001b[31mred\u001b[39m', 'x'],
      ['é', 'x'],
    ];
    const lines = plain(table(['NAME', 'V'], rows, { width: null }));
    const places = lines.slice(1).map((line) => stringWidth(line.slice(0, line.indexOf('x'))));
    expect(new Set(places)).toEqual(new Set(['flights 🛫'.length + 2]));
  });

  it('fits the terminal as long as its columns keep twelve characters, and cuts no number', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, fc.nat()), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 46, max: 200 }),
        (rows, width) => {
          const cells = rows.map(([a, b, n]) => [a, b, String(n)]);
          const lines = plain(table(['FIRST', 'SECOND', 'N'], cells, { width }));
          expect(lines).toHaveLength(rows.length + 1);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
          for (const [at, [, , n]] of rows.entries()) expect(lines[at + 1]).toMatch(`${n}`);
        },
      ),
    );
  });

  it('is not cut where there is no terminal', () => {
    const long = 'x'.repeat(500);
    expect(table(['A'], [[long]], { width: null })).toContain(long);
  });
});

describe('a point in time', () => {
  const now = new Date(2026, 0, 31, 9, 5, 0).getTime();

  it('is told in local time, and how far away it is', () => {
    expect(localTime(now)).toBe('2026-01-31 09:05:00');
    expect(when(now - 7_300_000, now)).toBe('2026-01-31 07:03:20 (2 h ago)');
  });

  it.each([
    [0, 'now'],
    [999, 'now'],
    [1000, '1 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [172_800_000, '2 d ago'],
    [-90_000, 'in 1 min'],
  ])('%i ms: %s', (ms, text) => {
    expect(ago(now - ms, now)).toBe(text);
  });
});
