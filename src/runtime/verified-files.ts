/**
 * Files that are named by the hash of their content, and may not be what their name says: a power cut
 * truncates what was not synced, a disk fails, a hand changes them.
 *
 * V1  A file is hashed when it is asked for the first time, and again once the file system tells that it
 *     changed. Its inode, size and times stand for its content in between, so that asking is cheap.
 */
import { stat } from 'node:fs/promises';
import { sha256OfFile } from '../contract/hash.ts';

export class VerifiedFiles {
  /** By path: what the file system told of it when its hash was right. */
  readonly #known = new Map<string, string>();

  /** @returns what it is: `missing`, what its hash says, or something else. */
  async check(file: string, hash: string): Promise<'intact' | 'missing' | 'damaged'> {
    const stamp = await stampOf(file).catch(() => null);
    if (stamp === null) return 'missing';
    if (this.#known.get(file) === stamp) return 'intact';
    const isIntact = (await sha256OfFile(file).catch(() => null)) === hash;
    if (isIntact) this.#known.set(file, stamp);
    return isIntact ? 'intact' : 'damaged';
  }

  /** Its content has just been found right. */
  async add(file: string): Promise<void> {
    this.#known.set(file, await stampOf(file));
  }

  /** It is removed. */
  delete(file: string): void {
    this.#known.delete(file);
  }
}

/** Differs when the file was changed or replaced. */
async function stampOf(file: string): Promise<string> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error(`${file} is no file`);
  const { ino, size, mtimeMs, ctimeMs } = found;
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
