import { describe, expect, it } from 'vitest';
import {
  escapePlaceholders,
  substitutePlaceholders,
  encodeInJson,
} from '../../src/contract/placeholders.ts';
import {
  formatBytes,
  formatDuration,
  parseDurationMs,
  parseSizeBytes,
} from '../../src/contract/units.ts';
import fc from 'fast-check';

describe('units', () => {
  it.each([
    ['10s', 10_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['2 min', 120_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('reads the duration %s', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it.each(['', '10', 's', '-1s', '10 lightyears', '1e3s', '10s '.repeat(2)])(
    'refuses %j as a duration',
    (text) => expect(parseDurationMs(text)).toBeNull(),
  );

  it.each([
    ['512MiB', 536_870_912],
    ['1GB', 1_000_000_000],
    ['64KiB', 65_536],
    ['7B', 7],
  ])('reads the size %s', (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

  it.each(['512', '512 mib', '1TiBs', '-1B'])('refuses %j as a size', (text) =>
    expect(parseSizeBytes(text)).toBeNull(),
  );

  it('writes both for people', () => {
    expect(formatDuration(850)).toBe('850ms');
    expect(formatDuration(12_340)).toBe('12.3s');
    expect(formatDuration(245_000)).toBe('4m 05s');
    expect(formatDuration(7_800_000)).toBe('2h 10m');
    expect(formatDuration(90_000_000)).toBe('1d 01h');
    expect(formatBytes(512)).toBe('512 B');
    expect(formatBytes(1_610_612_736)).toBe('1.5 GiB');
  });
});

describe('placeholders', () => {
  it('replaces what is known and refuses what is not', () => {
    expect(substitutePlaceholders('${a}/x/${b}', { a: '1', b: '2' })).toBe('1/x/2');
    expect(() => substitutePlaceholders('${secrets}', { a: '1' })).toThrow(
      'unknown placeholder ${secrets}',
    );
    expect(() => substitutePlaceholders('${a', { b: '1' })).toThrow('unknown placeholder');
  });

  it('never touches text of a user, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', '"', '\\') }), (text) => {
        expect(substitutePlaceholders(escapePlaceholders(text), {})).toBe(text);
        const json = JSON.stringify({ text: escapePlaceholders(text) });
        expect(JSON.parse(substitutePlaceholders(json, {}, encodeInJson))).toEqual({ text });
      }),
    );
  });
});
