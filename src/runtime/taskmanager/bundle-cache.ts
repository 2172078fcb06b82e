/**
 * Application bundles on this machine, by content hash: `<folder>/<hash>.mjs`, fetched from the JobManager.
 *
 * C1  A file under its final name is complete and has the hash of its name.
 */
import { randomBytes } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { sha256 } from '../../contract/hash.ts';
import { TOKEN_HEADER } from '../../contract/runtime-config.ts';

const fetchTimeoutMs = 60_000;
const maxBundleBytes = 512 * 1024 * 1024;

/** @returns the bytes of the blob. Rejects when it cannot be had. */
export type FetchBlob = (hash: string) => Promise<Buffer>;

export class BundleCache {
  private readonly folder: string;
  private readonly fetching = new Map<string, Promise<string>>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** @returns the file of a bundle. Rejects when it cannot be fetched or is not what its name says. */
  get(hash: string, fetchBlob: FetchBlob): Promise<string> {
    const existing = this.fetching.get(hash);
    if (existing !== undefined) return existing;
    const file = this.load(hash, fetchBlob);
    this.fetching.set(hash, file);
    file.catch(() => this.fetching.delete(hash));
    return file;
  }

  private async load(hash: string, fetchBlob: FetchBlob): Promise<string> {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new Error(`'${hash}' is not the hash of a bundle`);
    const file = join(this.folder, `${hash}.mjs`);
    if (await isThere(file)) return file;
    const bytes = await fetchBlob(hash);
    const actual = sha256(bytes);
    if (actual !== hash)
      throw new Error(`bundle ${hash} came with the hash ${actual}: it was damaged on its way`);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${randomBytes(4).toString('hex')}`;
    try {
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, file); // C1
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return file;
  }
}

const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

/** Fetches blobs from the JobManager's REST address. */
export function httpBlobs(rest: string, token: string | null): FetchBlob {
  const headers = token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` };
  return (hash) =>
    new Promise((resolve, reject) => {
      const url = new URL(`/fctl/v1/blobs/${hash}`, rest);
      const failed = (why: string) =>
        reject(new Error(`the JobManager at ${rest} does not give bundle ${hash}: ${why}`));
      const req = request(url, { headers, timeout: fetchTimeoutMs }, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          return failed(`status ${response.statusCode}`);
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBundleBytes) req.destroy(new Error('it is too large'));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve(Buffer.concat(chunks)));
        response.on('error', (error) => failed(error.message));
      });
      req.on('timeout', () => req.destroy(new Error('no answer')));
      req.on('error', (error) => failed(error.message));
      req.end();
    });
}
