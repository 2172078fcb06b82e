/** Texts that are too many for the memory, written to a stream once all of them are there. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** @throws what `texts` throws; then nothing was written. */
export async function spool(
  texts: AsyncIterable<string>,
  stream: Writable,
  { head, tail }: { readonly head: string; readonly tail: string },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-'));
  try {
    const file = join(folder, 'texts');
    await writeFile(file, texts);
    stream.write(head);
    await pipeline(createReadStream(file), stream, { end: false });
    stream.write(tail);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
