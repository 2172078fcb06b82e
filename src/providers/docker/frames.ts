/**
 * Output of a container without a terminal: frames of stdout and stderr in one stream.
 *
 *     frame    kind:1 zero:3 length:4 bytes      length: big-endian
 *     kind     0 stdin, 1 stdout, 2 stderr
 */
import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';

const headerBytes = 8;
const kinds = ['stdin', 'stdout', 'stderr'] as const;

export interface Frame {
  readonly kind: (typeof kinds)[number];
  /** A piece of a frame's bytes. */
  readonly bytes: Buffer;
}

/**
 * Pieces of frames as they come.
 * @throws Error for a stream that has no frames.
 */
export async function* readFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let header = Buffer.alloc(0);
  let kind: Frame['kind'] = 'stdout';
  let missing = 0;
  for await (const chunk of stream) {
    let rest = chunk;
    while (rest.length > 0) {
      if (missing > 0) {
        const bytes = rest.subarray(0, missing);
        missing -= bytes.length;
        rest = rest.subarray(bytes.length);
        yield { kind, bytes };
        continue;
      }
      const needed = headerBytes - header.length;
      header = Buffer.concat([header, rest.subarray(0, needed)]);
      rest = rest.subarray(needed);
      if (header.length < headerBytes) break;
      const known = kinds[header[0]!];
      if (known === undefined) throw new Error(`no frame begins with ${header[0]}`);
      kind = known;
      missing = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
}

/** Writes what comes, no faster than it is taken. Ends neither stream. */
export async function copyFrames(
  stream: Readable,
  stdout: Writable,
  stderr: Writable,
): Promise<void> {
  for await (const { bytes, kind } of readFrames(stream)) {
    const output = kind === 'stderr' ? stderr : stdout;
    if (!output.write(bytes)) await once(output, 'drain');
  }
}
