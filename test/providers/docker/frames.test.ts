/** Frames of a container's output, cut at any place. */
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyFrames, readFrames } from '../../../src/providers/docker/frames.ts';

function frame(kind: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((p) => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

describe('frames', () => {
  it('gives the bytes of each stream, wherever they were cut', async () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })));
    const property = fc.asyncProperty(frames, fc.array(fc.nat(5000)), async (sent, places) => {
      const stream = Readable.from(cut(Buffer.concat(sent.map(([k, c]) => frame(k, c))), places));
      const got = { stdin: [] as Buffer[], stdout: [] as Buffer[], stderr: [] as Buffer[] };
      for await (const { bytes, kind } of readFrames(stream)) got[kind].push(Buffer.from(bytes));
      for (const [kind, number] of [
        ['stdout', 1],
        ['stderr', 2],
      ] as const) {
        const wanted = sent.filter(([k]) => k === number).map(([, content]) => content);
        expect(Buffer.concat(got[kind])).toEqual(Buffer.concat(wanted));
      }
    });
    await fc.assert(property);
  });

  it('refuses what are no frames', async () => {
    const read = readFrames(Readable.from([Buffer.from('plain text')])).next();
    await expect(read).rejects.toThrow('no frame begins with 112');
  });

  it('waits for who reads', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 });
    const block = Buffer.alloc(10_000, 'x');
    const copied = copyFrames(Readable.from([frame(1, block), frame(1, block)]), stdout, stdout);
    expect(
      await Promise.race([copied.then(() => 'done'), new Promise((r) => setImmediate(r, 'waits'))]),
    ).toBe('waits');
    const read = text(stdout);
    await copied;
    stdout.end();
    expect((await read).length).toBe(20_000);
  });
});
