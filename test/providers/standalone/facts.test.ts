import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  architectureOf,
  clockOff,
  glibcOf,
  isTaken,
  listeningPort,
} from '../../../src/providers/standalone/facts.ts';

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

describe('ports that somebody listens on', () => {
  it('are read as the kernel tells them', () => {
    expect(listeningPort('0100007F:1F90')).toEqual({ address: '127.0.0.1', port: 8080 });
    expect(listeningPort('00000000:0016')).toEqual({ address: '0.0.0.0', port: 22 });
    const v6 = (address: string) => ({ address, port: 8081 });
    expect(listeningPort('00000000000000000000000001000000:1F91')).toEqual(v6('::1'));
    expect(listeningPort('00000000000000000000000000000000:1F91')).toEqual(v6('::'));
    expect(listeningPort('0000000000000000FFFF00000100007F:1F91')).toEqual(v6('127.0.0.1'));
  });

  it('are taken for the addresses that they are of, and for all by who listens on all', () => {
    const one = [{ address: '127.0.0.1', port: 8081 }];
    expect(isTaken(one, ['127.0.0.1'], 8081)).toBe(true);
    expect(isTaken(one, ['127.0.0.1'], 8082)).toBe(false);
    expect(isTaken(one, ['::1'], 8081)).toBe(false);
    expect(isTaken(one, ['10.0.0.7', '127.0.0.1'], 8081)).toBe(true);
    expect(isTaken(one, ['0.0.0.0'], 8081)).toBe(true);
    expect(isTaken(one, ['host-1'], 8081)).toBe(true);
    expect(isTaken([{ address: '::', port: 8081 }], ['127.0.0.1'], 8081)).toBe(true);
  });
});
