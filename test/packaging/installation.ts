/** An installation of fctl to be packed: small, with an executable that only claims to be Node.js. */
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { sha256 } from '../../src/contract/hash.ts';
import { type ArchiveOptions, buildRuntimeArchive } from '../../src/packaging/runtime-archive.ts';

export const scripts: Readonly<Record<string, string>> = {
  'jobmanager.js': 'await import("./chunks/a.js");\n',
  'chunks/a.js': 'export const a = 1;\n',
  'chunks/b.js': 'export const b = 1;\n',
  'connectors/files.js': 'export {};\n',
};

export const claimedNode = '#!/bin/sh\necho v24.1.2\n';

export interface Installation {
  readonly scripts?: Readonly<Record<string, string>>;
  /** Also in `dist/`, and not in the list. */
  readonly others?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly supervisor?: string;
  /** Of all files, in seconds. */
  readonly mtime?: number;
}

/** Writes files in the order in which they are given. @returns what packs them. */
export async function install(
  root: string,
  {
    mtime = 1e9,
    node = claimedNode,
    others = {},
    supervisor = '#!/bin/sh\n',
    ...rest
  }: Installation,
): Promise<Omit<ArchiveOptions, 'cacheDir' | 'signal'>> {
  const dist = rest.scripts ?? scripts;
  const list = Object.entries(dist).map(([path, content]) => [path, sha256(content)]);
  const below = (folder: string, files: Readonly<Record<string, string>>) =>
    Object.entries(files).map(([path, content]): [string, string] => [join(folder, path), content]);
  const files = [
    ...below('dist', dist),
    ...below('dist', others),
    ['dist/runtime.json', JSON.stringify(Object.fromEntries(list))],
    ['templates/supervise.sh', supervisor],
    ['node', node],
  ] as const;
  for (const [path, content] of files) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await utimes(file, mtime, mtime);
  }
  await chmod(join(root, 'node'), 0o755);
  return {
    node: { file: join(root, 'node') },
    runtimeDir: join(root, 'dist'),
    templatesDir: join(root, 'templates'),
  };
}

export function build(
  options: Omit<ArchiveOptions, 'cacheDir' | 'signal'>,
  cacheDir: string,
  signal = new AbortController().signal,
) {
  return buildRuntimeArchive({ ...options, cacheDir, signal });
}

/** What is in a tar: `0755 0:0 0 name` (mode, owners, time in seconds) → content; `null`: a folder. */
export async function readTar(tar: Readable): Promise<Map<string, string | null>> {
  const found = new Map<string, string | null>();
  const entries = extract();
  const unpacked = pipeline(tar, entries);
  unpacked.catch(() => {}); // thrown below
  for await (const entry of entries) {
    const { gid, mode, mtime, name, type, uid } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    const about = `${mode.toString(8).padStart(4, '0')} ${uid}:${gid} ${mtime.getTime() / 1000} ${name}`;
    found.set(about, type === 'directory' ? null : Buffer.concat(chunks).toString());
  }
  await unpacked;
  return found;
}
