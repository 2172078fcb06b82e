/**
 * The runtime archive: everything that a machine needs to run processes of a cluster, with nothing
 * installed but what every Linux with glibc has. A tar.gz with
 *
 * ```
 * bin/node                 the Node.js of the target platform
 * dist/…                   entry points of the processes and the chunks they load
 * package.json             makes the files below it ES modules
 * templates/supervise.sh   runs a process and starts it again
 * ```
 *
 * A1  `hash` names the content: SHA-256 of the uncompressed tar, whose entries are sorted and have fixed
 *     owners, modes and times. It is the same on every machine, whatever its zlib makes of the tar.
 * A2  An archive is made once: a cheap key of everything that goes in finds it again, and neither Node.js
 *     nor the archive is read for that.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ProviderError, problem } from '../contract/errors.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import { OLDEST_NODE, isTooOld } from '../contract/version.ts';
import { hashOf, temporaryName, writingCache } from './cache.ts';
import { gzip } from './gzip.ts';
import { hashing } from './hashing.ts';
import { type RuntimeArchive, archiveFile, findArchive, recordArchive } from './kept-archives.ts';
import { nodeVersionOf } from './node-version.ts';
import {
  type RuntimeFile,
  readRuntimeFile,
  readSupervisor,
  runtimeFiles,
  runtimePackage,
} from './runtime-files.ts';
import { type TarEntry, tarStream } from './tar.ts';

export type { RuntimeArchive } from './kept-archives.ts';

export interface ArchiveOptions {
  /** The executable that becomes `bin/node`; a plain file. */
  readonly node: { readonly file: string };
  /** fctl's own `dist/`. */
  readonly runtimeDir: string;
  /** fctl's own `templates/`. */
  readonly templatesDir: string;
  /** Where fctl keeps what it can make again. */
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

interface Inputs {
  readonly nodeHash: string;
  readonly files: readonly RuntimeFile[];
  readonly supervisor: string;
  readonly packageJson: string;
}

/** Changes with what is packed how. */
const FORMAT = 1;

/** 3 MB (6 %) less than level 1 for a fifth more time; 6 saves another 3 % for 60 % more. */
const gzipLevel = 4;

/**
 * @throws ProviderError `runtime-missing` (fctl is not built, or damaged), `node-not-readable`,
 *   `node-too-old`, `file-changed`, `cache-not-writable`, `disk-full`; what `signal` was aborted with.
 */
export async function buildRuntimeArchive(options: ArchiveOptions): Promise<RuntimeArchive> {
  const { cacheDir, node, runtimeDir, signal, templatesDir } = options;
  return writingCache(cacheDir, async () => {
    const inputs: Inputs = {
      nodeHash: await hashOfNode(node.file, cacheDir),
      files: await runtimeFiles(runtimeDir),
      supervisor: await readSupervisor(templatesDir),
      packageJson: runtimePackage,
    };
    const folder = join(cacheDir, 'runtimes');
    const key = sha256(canonicalJson([FORMAT, inputs]));
    const kept = await findArchive(folder, key, cacheDir);
    if (kept !== null) return kept; // A2
    signal.throwIfAborted();
    const made = await make(folder, inputs, options);
    await recordArchive(folder, key, made, cacheDir);
    return made;
  });
}

async function make(
  folder: string,
  inputs: Inputs,
  { node, runtimeDir, signal }: ArchiveOptions,
): Promise<RuntimeArchive> {
  const nodeVersion = await nodeVersionOf(node.file, inputs.nodeHash, signal);
  if (nodeVersion !== 'unknown' && isTooOld(nodeVersion)) throw tooOld(node.file, nodeVersion);
  await mkdir(folder, { recursive: true });
  const content = createHash('sha256');
  const bytes = createHash('sha256');
  const temporary = temporaryName(archiveFile(folder, ''));
  try {
    await pipeline(
      tarStream(await entriesOf(inputs, node.file, runtimeDir)),
      hashing(content),
      gzip(gzipLevel),
      hashing(bytes),
      createWriteStream(temporary, { mode: 0o644, flush: true }),
      { signal },
    );
    const hash = content.digest('hex');
    const file = archiveFile(folder, hash);
    const { size } = await stat(temporary);
    await rename(temporary, file);
    return { hash, file, sizeBytes: size, fileHash: bytes.digest('hex'), nodeVersion };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function hashOfNode(file: string, cacheDir: string): Promise<string> {
  return hashOf(file, cacheDir).catch((error: NodeJS.ErrnoException) => {
    if (error.path !== file) throw error;
    throw notUsable('node-not-readable', `${file} cannot be packed: ${error.message}`, error);
  });
}

function tooOld(file: string, version: string): ProviderError {
  const message = `${file} is Node.js ${version}, with which processes cannot run`;
  return notUsable('node-too-old', message, null);
}

function notUsable(code: string, message: string, cause: unknown): ProviderError {
  const hint = `use a Node.js executable of version ${OLDEST_NODE} or newer that you may read`;
  return new ProviderError(problem({ code, message, path: '/runtime/node', hint }), { cause });
}

/** In the order of their names, folders before what is in them (A1). */
async function entriesOf(inputs: Inputs, node: string, runtimeDir: string): Promise<TarEntry[]> {
  const { files, nodeHash, packageJson, supervisor } = inputs;
  const { size } = await stat(node);
  const built = files.map(async (file): Promise<TarEntry> => {
    const content = await readRuntimeFile(runtimeDir, file);
    return { type: 'content', name: `dist/${file.path}`, content };
  });
  const entries: TarEntry[] = [
    {
      type: 'file',
      name: 'bin/node',
      mode: 0o755,
      sha256: nodeHash,
      file: node,
      sizeBytes: size,
    },
    ...(await Promise.all(built)),
    { type: 'content', name: 'package.json', content: packageJson },
    { type: 'content', name: 'templates/supervise.sh', mode: 0o755, content: supervisor },
  ];
  const folders = new Set(entries.flatMap(({ name }) => foldersOf(name)));
  const all = [...[...folders].map((name): TarEntry => ({ type: 'folder', name })), ...entries];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `a/b/c` → `a`, `a/b` */
function foldersOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
