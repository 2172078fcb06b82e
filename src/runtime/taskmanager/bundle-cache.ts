/**
 * Application bundles, or cached files of jobs, on this machine, by content hash: `<folder>/<hash>.mjs`,
 * fetched from the JobManager.
 * The folder belongs to one process at a time.
 *
 * C1  A bundle that is handed out has the hash of its name. A file whose hash was right is hashed again
 *     once the file system tells that it changed; one that is not what its name says is fetched again.
 * C2  A bundle stays while it is used. Of those that are not, the `KEPT_BUNDLES` used last stay.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { writeHashed } from '../../contract/hash.ts';
import { TOKEN_HEADER } from '../../contract/runtime-config.ts';
import { syncFolder } from '../../storage/file-driver.ts';
import { VerifiedFiles } from '../verified-files.ts';

/** For the next job of the same application. */
export const KEPT_BUNDLES = 3;

const fetchTimeoutMs = 60_000;

/** @returns the content of the blob. Rejects, or errs while it is read, when it cannot be had. */
export type FetchBlob = (hash: string) => Promise<Readable>;

/** A bundle in use. */
export interface BundleLease {
  /** Rejects when the bundle cannot be fetched or is not what its name says. */
  readonly file: Promise<string>;
  /** It is no longer used. Idempotent. */
  release(): void;
}

export class BundleCache {
  private readonly folder: string;
  private readonly warn: (message: string) => void;
  private readonly extension: string;
  /** Number of leases. */
  private readonly uses = new Map<string, number>();
  private readonly loading = new Map<string, Promise<string>>();
  private readonly verified = new VerifiedFiles();
  /** Ascending by last use. */
  private readonly unused = new Set<string>();

  /** @param extension of the files. */
  constructor(folder: string, warn: (message: string) => void, extension = '.mjs') {
    this.folder = folder;
    this.warn = warn;
    this.extension = extension;
  }

  /** Fetches the bundle unless it is there. */
  acquire(hash: string, fetchBlob: FetchBlob): BundleLease {
    this.uses.set(hash, (this.uses.get(hash) ?? 0) + 1);
    this.unused.delete(hash);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.released(hash);
    };
    return { file: this.loadOnce(hash, fetchBlob), release };
  }

  private released(hash: string): void {
    const left = this.uses.get(hash)! - 1;
    if (left > 0) {
      this.uses.set(hash, left);
      return;
    }
    this.uses.delete(hash);
    this.unused.add(hash);
    this.prune();
  }

  private loadOnce(hash: string, fetchBlob: FetchBlob): Promise<string> {
    const underWay = this.loading.get(hash);
    if (underWay !== undefined) return underWay;
    const file = this.load(hash, fetchBlob).finally(() => this.loading.delete(hash));
    this.loading.set(hash, file);
    return file;
  }

  private async load(hash: string, fetchBlob: FetchBlob): Promise<string> {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new Error(`'${hash}' is not the hash of a bundle`);
    const file = this.fileOf(hash);
    if (await this.isIntact(hash, file)) return file;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const content = await fetchBlob(hash); // Nothing is awaited before somebody hears of its errors.
    const temporary = `${file}.${randomBytes(4).toString('hex')}`;
    try {
      const actual = await writeHashed(content, temporary);
      if (actual !== hash)
        throw new Error(`bundle ${hash} came with the hash ${actual}: it was damaged on its way`);
      await rename(temporary, file);
      await syncFolder(this.folder);
    } catch (error) {
      content.destroy();
      await rm(temporary, { force: true });
      throw error;
    }
    await this.verified.add(file);
    return file;
  }

  /** C1 */
  private async isIntact(hash: string, file: string): Promise<boolean> {
    const state = await this.verified.check(file, hash);
    if (state === 'damaged')
      this.warn(`${file} is not what it was when it was fetched: it is fetched again`);
    return state === 'intact';
  }

  /** C2. Synchronous: nobody acquires what is being removed. */
  private prune(): void {
    const order = [...this.unused];
    try {
      const files = filesOf(this.folder, this.extension)
        .filter(({ hash }) => !this.uses.has(hash) && !this.loading.has(hash))
        .toSorted((a, b) => order.indexOf(b.hash) - order.indexOf(a.hash) || b.mtimeMs - a.mtimeMs);
      const bundles = files.filter(({ isBundle }) => isBundle);
      for (const file of files) {
        if (!bundles.slice(0, KEPT_BUNDLES).includes(file)) this.remove(file);
      }
    } catch (error) {
      this.warn(`cannot remove old bundles from ${this.folder}: ${(error as Error).message}`);
    }
  }

  private remove({ hash, isBundle, path }: CachedFile): void {
    rmSync(path, { force: true });
    if (!isBundle) return;
    this.verified.delete(path);
    this.unused.delete(hash);
  }

  private fileOf(hash: string): string {
    return join(this.folder, `${hash}${this.extension}`);
  }
}

interface CachedFile {
  readonly path: string;
  readonly hash: string;
  /** Otherwise it is what a process left that was killed while it wrote. */
  readonly isBundle: boolean;
  readonly mtimeMs: number;
}

/** Also what an earlier process left. */
function filesOf(folder: string, extension: string): CachedFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const match = /^([0-9a-f]{64})(\.mjs)?(\.[0-9a-f]+)?$/.exec(name);
    if (match === null || (match[2] ?? '') !== extension) return [];
    const path = join(folder, name);
    const { mtimeMs } = statSync(path);
    return [{ path, hash: match[1]!, isBundle: match[3] === undefined, mtimeMs }];
  });
}

/** Fetches blobs from the JobManager's REST address, whatever proxy the environment of operators names. */
export function httpBlobs(rest: string, token: string | null): FetchBlob {
  const headers = token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` };
  return (hash) =>
    new Promise((resolve, reject) => {
      const url = new URL(`/fctl/v1/blobs/${hash}`, rest);
      const failed = (why: string) =>
        reject(new Error(`the JobManager at ${rest} does not give bundle ${hash}: ${why}`));
      const req = request(url, { headers, agent: false, timeout: fetchTimeoutMs }, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          return failed(`status ${response.statusCode}`);
        }
        resolve(response);
      });
      req.on('timeout', () => req.destroy(new Error('no answer')));
      req.on('error', (error) => failed(error.message));
      req.end();
    });
}
