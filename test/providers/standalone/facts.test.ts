import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { architectureOf, clockOff, glibcOf } from '../../../src/providers/standalone/facts.ts';

describe('what a host is like', () => {
  it.each([
    ['glibc 2.36', '2.36'],
    ['ldd (Debian GLIBC 2.36-9+deb12u4) 2.36', '2.36'],
    ['ldd (GNU libc) 2.17', '2.17'],
    ['musl libc (x86_64)', null],
    ['sh: ldd: not found', null],
    ['', null],
  ])('%s: %s', (text, expected) => {
    expect(glibcOf(text)).toBe(expected);
  });

  it('knows the architectures of runtimes', () => {
    expect(architectureOf('x86_64')).toBe('x64');
    expect(architectureOf('aarch64')).toBe('arm64');
    expect(architectureOf('armv7l')).toBeNull();
  });

  it('never calls a right clock wrong, however long the way is, and names no more than is sure', () => {
    const times = fc.record({
      before: fc.integer({ min: 1e9, max: 2e12 }),
      there: fc.nat(60_000),
      back: fc.nat(60_000),
      off: fc.integer({ min: -1e7, max: 1e7 }),
    });
    fc.assert(
      fc.property(times, fc.boolean(), ({ back, before, off, there }, fine) => {
        const now = (before + there + off) / 1000;
        const text = fine ? now.toFixed(9) : String(Math.floor(now));
        const found = clockOff(text, before, before + there + back);
        if (off === 0) expect(found).toBeCloseTo(0, 0);
        expect(Math.abs(found)).toBeLessThanOrEqual(Math.abs(off) + 1);
        const slack = there + back + 1001;
        expect(Math.abs(found - off)).toBeLessThanOrEqual(slack);
      }),
    );
    expect(clockOff('%s', 1, 2)).toBe(0);
  });
});
