/**
 * Tar streams that depend on nothing but their entries: owners, modes and times are what the entries say,
 * or fixed.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { ProviderError, problem } from '../contract/errors.ts';
import { hashing } from './hashing.ts';

export type TarEntry = {
  /** Relative, with `/`. */
  readonly name: string;
  /** Default: 0755 for folders, 0644 for files. */
  readonly mode?: number;
} & (
  | { readonly type: 'folder' }
  | { readonly type: 'content'; readonly content: string | Uint8Array }
  | FileEntry
);

interface FileEntry {
  readonly type: 'file';
  /** Absolute path. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Lowercase hex SHA-256 of what it must hold; `null`: not checked. */
  readonly sha256: string | null;
}

/**
 * A tar of the entries in their order, made while it is read.
 *
 * It ends with a ProviderError `file-changed` when a file is not what its entry says.
 */
export function tarStream(entries: readonly TarEntry[]): Readable {
  const tar = pack();
  const read = new PassThrough();
  void pipeline(tar, read).catch(() => {}); // whoever reads is told
  void addAll(tar, entries).catch((error: Error) => tar.destroy(error));
  return read;
}

async function addAll(tar: Pack, entries: readonly TarEntry[]): Promise<void> {
  for (const entry of entries) {
    const { name, type } = entry;
    const header = { name, uid: 0, gid: 0, mtime: new Date(0), mode: entry.mode ?? 0o644 };
    if (type === 'content') tar.entry(header, Buffer.from(entry.content));
    else if (type === 'file') await addFile(tar, header, entry);
    else tar.entry({ ...header, name: `${name}/`, mode: entry.mode ?? 0o755, type: 'directory' });
  }
  tar.finalize();
}

async function addFile(tar: Pack, header: { name: string }, file: FileEntry): Promise<void> {
  const source = createReadStream(file.file, { highWaterMark: 1024 * 1024 });
  await pipeline(source, verified(file), tar.entry({ ...header, size: file.sizeBytes }));
}

/** Throws before the tar would be found to be wrong by whoever reads it. */
function verified({ file, sha256, sizeBytes }: FileEntry) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const digest = createHash('sha256');
    let left = sizeBytes;
    for await (const chunk of hashing(digest)(source)) {
      left -= chunk.length;
      if (left < 0) break;
      yield chunk;
    }
    if (left === 0 && (sha256 === null || digest.digest('hex') === sha256)) return;
    const message = `${file} changed while it was packed`;
    throw new ProviderError(problem({ code: 'file-changed', message, file }));
  };
}
