/** The Node.js of a target platform: the pinned one, from here where it is, or the config's. */
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProviderError } from '../../src/contract/errors.ts';
import { sha256OfFile } from '../../src/contract/hash.ts';
import {
  NODE_VERSION,
  checkPlatform,
  fetchNode,
  pinnedNodes,
} from '../../src/packaging/target-node.ts';

const repository = join(import.meta.dirname, '../..');
const { arch } = process as { arch: 'x64' | 'arm64' };
const other = arch === 'x64' ? 'arm64' : 'x64';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-node-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Where there is no npm. */
const fetch = (target: 'x64' | 'arm64') =>
  fetchNode(
    { platform: 'linux', arch: target },
    {
      cacheDir: root,
      environment: { PATH: root },
      signal: new AbortController().signal,
      onProgress: () => {},
    },
  );

const keptAt = (target: string) => join(root, `node/${NODE_VERSION}-linux-${target}/bin/node`);

describe('the pinned Node.js', () => {
  it('is the one that this repository is tested with', async () => {
    const text = await readFile(join(repository, 'tools/node/package.json'), 'utf8');
    const { optionalDependencies } = JSON.parse(text);
    for (const { package: name, version } of Object.values(pinnedNodes)) {
      expect(optionalDependencies[name]).toBe(version);
      expect(version).toBe(NODE_VERSION);
    }
  });

  it.runIf(process.platform === 'linux')('is taken from here where it is', async () => {
    const { file, version } = await fetch(arch);
    expect(version).toBe(NODE_VERSION);
    expect(await sha256OfFile(file)).toBe(pinnedNodes[arch].sha256);
    expect(file.startsWith(root)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('is taken from the cache first', async () => {
    const { file } = await fetch(arch);
    await mkdir(dirname(keptAt(arch)), { recursive: true });
    await copyFile(file, keptAt(arch));
    expect((await fetch(arch)).file).toBe(keptAt(arch));
  });

  it('is never what lies in the cache with other bytes', async () => {
    const kept = keptAt(arch);
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(kept, Buffer.alloc(pinnedNodes[arch].sizeBytes));
    const { file } = await fetch(arch);
    expect(file).not.toBe(kept);
    expect(await sha256OfFile(file)).toBe(pinnedNodes[arch].sha256);
  });

  it('is noticed to have changed behind the time of its file', async () => {
    const { file } = await fetch(arch);
    const kept = keptAt(arch);
    await mkdir(dirname(kept), { recursive: true });
    await copyFile(file, kept);
    await fetch(arch);
    const { atime, mtime } = await stat(kept);
    const handle = await readFile(kept);
    handle[1000]! ^= 1;
    await writeFile(kept, handle);
    await utimes(kept, atime, mtime);
    expect((await fetch(arch)).file).toBe(file);
  });

  it('of another platform is not the one that is here', async () => {
    const error = await fetch(other).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ProviderError);
    expect((error as ProviderError).problems[0]!.code).toBe('npm-missing');
  });
});

describe('an executable of the user', () => {
  it.runIf(process.platform === 'linux')('is checked to be for the platform', async () => {
    await checkPlatform(process.execPath, { platform: 'linux', arch });
    const refused = checkPlatform(process.execPath, { platform: 'linux', arch: other });
    await expect(refused).rejects.toThrow(
      `${process.execPath} is no executable for linux-${other}`,
    );
  });

  it.each(['', '#!/bin/sh\nexec node "$@"\n'])('that is %j is refused', async (content) => {
    const file = join(root, 'node');
    await writeFile(file, content);
    await expect(checkPlatform(file, { platform: 'linux', arch })).rejects.toThrow(ProviderError);
  });
});
