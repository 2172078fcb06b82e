/** Hashes what flows through a pipeline. */
import type { Hash } from 'node:crypto';

export function hashing(digest: Hash): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    for await (const chunk of source) {
      digest.update(chunk);
      yield chunk;
    }
  };
}
