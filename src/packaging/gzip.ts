/**
 * gzip on all cores: blocks are compressed at the same time in the thread pool and joined to one ordinary
 * gzip stream (RFC 1952, a single member, so that every tool reads it).
 *
 * G1  Each block but the last ends at a byte (a sync flush) and is not marked as the last one; so blocks
 *     can be joined.
 * G2  A block may refer to the 32 KiB before it, as those are what a reader has just seen.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

const blockBytes = 1024 * 1024;
/** As many as the thread pool has threads by default. */
const atOnce = 4;
const windowBytes = 32 * 1024;

/** Magic, deflate, no flags, no time, no hint, made on Unix. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

/** Compresses what flows through a pipeline. @param level 1 (fast) to 9. */
export function gzip(level: number): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    yield header;
    const compressed: Promise<Buffer>[] = [];
    let window: Buffer = Buffer.alloc(0);
    let crc = 0;
    let sizeBytes = 0;
    const compress = (block: Buffer, finishFlush: number): void => {
      crc = crc32(block, crc);
      sizeBytes += block.length;
      const dictionary = window.length > 0 ? { dictionary: window } : {}; // G2
      const done = deflate(block, { level, finishFlush, ...dictionary });
      done.catch(() => {}); // thrown where it is awaited, if anybody still waits
      compressed.push(done);
      window = block.subarray(-windowBytes);
    };
    let last: Buffer = Buffer.alloc(0);
    for await (const block of blocksOf(source)) {
      if (last.length > 0) compress(last, constants.Z_SYNC_FLUSH); // G1
      last = block;
      if (compressed.length >= atOnce) yield await compressed.shift()!;
    }
    compress(last, constants.Z_FINISH);
    for (const block of compressed) yield await block;
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc, 0);
    trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4);
    yield trailer;
  };
}

/** The same bytes in blocks of one size; the last one is shorter. */
async function* blocksOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    while (length >= blockBytes) {
      const all = Buffer.concat(chunks);
      yield all.subarray(0, blockBytes);
      chunks = [all.subarray(blockBytes)];
      length -= blockBytes;
    }
  }
  if (length > 0) yield Buffer.concat(chunks);
}
