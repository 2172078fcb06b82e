/** gzip in blocks: one ordinary stream, for every tool. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { execa } from 'execa';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gzip } from '../../src/packaging/gzip.ts';

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

const compress = (chunks: readonly Buffer[], level = 1) => buffer(gzip(level)(stream(chunks)));

const mebibyte = 1024 * 1024;

it('gives back what went in, whatever chunks it came in', async () => {
  const seed = randomBytes(mebibyte);
  // Around the ends of blocks, where blocks are joined.
  const size = fc.oneof(
    fc.nat(2000),
    fc.constantFrom(mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 6 }), async (sizes) => {
      const chunks = sizes.map((length) => Buffer.alloc(length, seed.subarray(0, 40_000)));
      const compressed = await compress(chunks);
      expect(gunzipSync(compressed).equals(Buffer.concat(chunks))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

it('is read by gzip itself, and as small as when it is made in one piece', async () => {
  const text = Buffer.from(Array.from({ length: 600_000 }, (_, n) => `line ${n}\n`).join(''));
  const compressed = await compress([text], 4);
  const { stdout } = await execa('gzip', ['-dc'], {
    input: compressed,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  expect(text.equals(stdout)).toBe(true);
  expect(compressed.length).toBeLessThan(gzipSync(text, { level: 4 }).length * 1.01);
});

it('ends with the error of what it reads', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(3 * mebibyte);
    throw new Error('disk on fire');
  }
  await expect(buffer(gzip(1)(broken()))).rejects.toThrow('disk on fire');
});
