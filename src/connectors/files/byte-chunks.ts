/**
 * The bytes of an input file, chunk by chunk: as they lie there, or decompressed where the name of the file
 * says that they are compressed.
 */
import { extname } from 'node:path';
import { type OpenFile, StorageError } from '../../storage/file-system.ts';
import { openFileSystem } from '../../storage/open.ts';
import { type Chunks, gunzipped, unzstd } from './decompress.ts';

const chunkBytes = 256 * 1024;
/** One of these may become a thousand times as large. */
const compressedChunkBytes = 32 * 1024;

const decompressors: ReadonlyMap<string, (chunks: Chunks) => Chunks> = new Map([
  ['.gz', gunzipped],
  ['.zst', unzstd],
]);
const unknownCompressions: ReadonlyMap<string, string> = new Map([
  ['.bz2', 'bzip2'],
  ['.xz', 'xz'],
  ['.lz4', 'lz4'],
  ['.zip', 'zip'],
]);

/** Whether its bytes can only be read from the first one on. */
export const isCompressed = (file: string): boolean =>
  decompressors.has(extname(file).toLowerCase());

/** Why the text of a file cannot be read; `null`: nothing is known against it. */
export function compressionProblem(file: string): string | null {
  const name = unknownCompressions.get(extname(file).toLowerCase());
  if (name === undefined) return null;
  return `the input ${file} is compressed with ${name}, which cannot be read: use gzip (.gz) or zstd (.zst)`;
}

/**
 * @param from of its bytes, or of those that they are decompressed to, where reading begins.
 * @param to where it ends; `null`: at the end of the file.
 * @throws StorageError while reading.
 */
export async function* readChunks(file: string, from: number, to: number | null): Chunks {
  const { fileSystem, path } = await openFileSystem(file);
  const opened = await fileSystem.open(path);
  try {
    const decompress = decompressors.get(extname(file).toLowerCase());
    if (decompress === undefined) yield* rangeOf(opened, from, to, chunkBytes);
    else yield* behind(decompress(rangeOf(opened, 0, null, compressedChunkBytes)), from);
  } finally {
    await opened.close();
  }
}

async function* rangeOf(file: OpenFile, from: number, to: number | null, size: number): Chunks {
  for (let at = from; to === null || at < to;) {
    const chunk = await file.read(at, to === null ? size : Math.min(size, to - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

/** Without the first bytes. */
export async function* behind(chunks: Chunks, from: number): Chunks {
  let left = from;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** The bytes of a file could not be had. */
export class ReadError extends Error {}

/** For people: what the file system says, or what is wrong with compressed bytes. */
export function readProblem(file: string, error: Error): ReadError {
  const what = error instanceof StorageError || !isCompressed(file) ? 'read' : 'decompress';
  return new ReadError(`cannot ${what} ${file}: ${error.message}`, { cause: error });
}
