/**
 * Application bundles and cached files of jobs by their content hash. An upload that breaks off can go on
 * where it was: `.<hash>.part` is what has come so far.
 *
 * B1  What is found under a hash has that hash: an upload is verified as a whole, and synced, before it gets
 *     its name, and what lies there is verified when it is found. One that was damaged since, as by a power
 *     cut, counts as not there, and a new upload takes its place.
 * B2  One upload of a hash writes at a time. A newer one ends the one before, whose connection may be gone
 *     without anybody having noticed.
 * B3  What has come stays when the client goes, for `keepPartsMs` at least. It goes when it proves wrong, and
 *     when this machine cannot write it: a full disk is not to stay full.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { syncFolder } from '../../../storage/file-driver.ts';
import { abortable } from '../../../contract/abort.ts';
import type { BlobStore, PutResult } from '../views/cluster-view.ts';
import { VerifiedFiles } from '../../verified-files.ts';

/** B3 */
const keepPartsMs = 24 * 60 * 60 * 1000;

export interface BlobStoreOptions {
  /** Folder for uploads. */
  readonly directory: string;
  /** Files that lie somewhere else, placed and verified by the provider: hash → file. */
  readonly placed: ReadonlyMap<string, string>;
}

/** B2 */
interface Upload {
  readonly stop: AbortController;
  /** Resolves when it writes no more. */
  readonly ended: Promise<unknown>;
}

const isHash = (text: string) => /^[0-9a-f]{64}$/.test(text);

export interface UploadingBlobStore extends BlobStore {
  /** Whether somebody sends a blob. */
  readonly isUploading: boolean;
}

export function createBlobStore(options: BlobStoreOptions): UploadingBlobStore {
  const store = new FileBlobStore(options);
  return {
    find: (hash) => store.find(hash),
    part: (hash) => store.part(hash),
    put: (hash, content, offset) => store.put(hash, content, offset),
    get isUploading() {
      return store.isUploading;
    },
  };
}

class FileBlobStore {
  readonly #options: BlobStoreOptions;
  readonly #uploads = new Map<string, Upload>();
  readonly #verified = new VerifiedFiles();

  constructor(options: BlobStoreOptions) {
    this.#options = options;
  }

  get isUploading(): boolean {
    return this.#uploads.size > 0;
  }

  async find(hash: string) {
    if (!isHash(hash)) return null; // and so no path
    const placed = this.#options.placed.get(hash);
    for (const file of [...(placed === undefined ? [] : [placed]), this.#fileOf(hash)]) {
      if ((await this.#verified.check(file, hash)) !== 'intact') continue; // B1
      const { size } = await stat(file);
      return { file, sizeBytes: size };
    }
    return null;
  }

  async part(hash: string) {
    const found = isHash(hash) ? await stat(this.#partOf(hash)).catch(() => null) : null;
    return { sizeBytes: found?.size ?? 0, isGrowing: this.#uploads.has(hash) };
  }

  async put(hash: string, content: Readable, offset = 0): Promise<PutResult> {
    if (await this.find(hash)) return 'exists';
    if (!isHash(hash)) {
      content.resume();
      return 'hash-differs';
    }
    const stop = new AbortController();
    const before = this.#uploads.get(hash);
    const written = (before?.ended ?? Promise.resolve()).then(() =>
      this.#write(hash, content, offset, stop.signal),
    );
    const upload = { stop, ended: written.catch(() => {}) };
    this.#uploads.set(hash, upload);
    before?.stop.abort(); // B2
    try {
      return await written;
    } finally {
      if (this.#uploads.get(hash) === upload) this.#uploads.delete(hash);
    }
  }

  async #write(
    hash: string,
    content: Readable,
    offset: number,
    signal: AbortSignal,
  ): Promise<PutResult> {
    const { directory } = this.#options;
    if (await this.find(hash)) return 'exists'; // by the upload before
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await this.#removeOldParts();
    const part = this.#partOf(hash);
    if (offset > 0 && (await this.part(hash)).sizeBytes !== offset) return 'other-offset';
    const digest = createHash('sha256');
    if (offset > 0) await hashPart(part, digest);
    const file = await open(part, offset > 0 ? 'a' : 'w', 0o600);
    try {
      if (!(await append(content, file, digest, signal))) return 'superseded';
      await synced(file);
    } catch (error) {
      if (error instanceof WriteError) {
        await rm(part, { force: true }); // B3
        throw error.cause;
      }
      throw error;
    } finally {
      await file.close();
    }
    if (digest.digest('hex') !== hash) {
      await rm(part, { force: true });
      return 'hash-differs';
    }
    await rename(part, this.#fileOf(hash)); // B1
    await syncFolder(directory);
    await this.#verified.add(this.#fileOf(hash));
    return 'created';
  }

  /** B3 */
  async #removeOldParts(): Promise<void> {
    const { directory } = this.#options;
    for (const name of await readdir(directory)) {
      const hash = /^\.([0-9a-f]{64})\.part$/.exec(name)?.[1];
      if (hash === undefined || this.#uploads.has(hash)) continue;
      const found = await stat(join(directory, name)).catch(() => null);
      if (found !== null && found.mtimeMs < Date.now() - keepPartsMs) {
        await rm(join(directory, name), { force: true });
      }
    }
  }

  #fileOf(hash: string): string {
    return join(this.#options.directory, hash);
  }

  #partOf(hash: string): string {
    return join(this.#options.directory, `.${hash}.part`);
  }
}

/** It was this machine that failed, not the client. */
class WriteError extends Error {}

/** @returns `false`: a newer upload goes on from here (B2). */
async function append(
  content: Readable,
  file: FileHandle,
  digest: Hash,
  signal: AbortSignal,
): Promise<boolean> {
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  for (;;) {
    // Its next piece may never come.
    const next = await abortable(pieces.next(), signal).catch((error: unknown) => {
      if (signal.aborted) return null;
      throw error;
    });
    if (next === null) return false;
    if (next.done) return true;
    const piece = typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
    digest.update(piece);
    try {
      await file.appendFile(piece);
    } catch (error) {
      throw new WriteError('the blob cannot be written', { cause: error });
    }
  }
}

async function synced(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    throw new WriteError('the blob cannot be written', { cause: error });
  }
}

async function hashPart(file: string, digest: Hash): Promise<void> {
  for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer);
}
