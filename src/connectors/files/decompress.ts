/** gzip and zstd, as streams: of several members or frames, one behind the other, all are read. */
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** Ends when the consumer stops: `return()` closes what is behind it. */
export type Chunks = AsyncGenerator<Buffer, void, undefined>;

export async function* gunzipped(input: Chunks): Chunks {
  const gunzip = createGunzip();
  const source = Readable.from(input);
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
  }
}

/** Node's own stream ends with the first frame, and says nothing of those behind it. */
export async function* unzstd(input: Chunks): Chunks {
  const rest = new Rest(input);
  while (await rest.fill()) {
    const frame = createZstdDecompress();
    const feeding = feed(frame, rest);
    feeding.catch((error: Error) => frame.destroy(error));
    yield* frame as AsyncIterable<Buffer>;
    await feeding;
  }
}

/** What is left of the input. */
class Rest {
  readonly #input: Chunks;
  bytes: Buffer = Buffer.alloc(0);

  constructor(input: Chunks) {
    this.#input = input;
  }

  /** @returns whether there is something. */
  async fill(): Promise<boolean> {
    if (this.bytes.length > 0) return true;
    const next = await this.#input.next();
    if (next.done) return false;
    this.bytes = next.value;
    return true;
  }
}

/** Until the frame ends within what it was given, or the input ends. */
async function feed(frame: ReturnType<typeof createZstdDecompress>, rest: Rest): Promise<void> {
  while (await rest.fill()) {
    const before = frame.bytesWritten;
    await new Promise<void>((resolve, reject) => {
      frame.write(rest.bytes, (error) => (error ? reject(error) : resolve()));
    });
    rest.bytes = rest.bytes.subarray(frame.bytesWritten - before);
    if (rest.bytes.length > 0) return;
  }
  frame.end();
}
