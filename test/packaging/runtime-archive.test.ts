/** The runtime archive: its name says its content, and nothing of when, where and by whom it was made. */
import { createReadStream } from 'node:fs';
import {
  copyFile,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProviderError } from '../../src/contract/errors.ts';
import { sha256 } from '../../src/contract/hash.ts';
import { FCTL_VERSION } from '../../src/contract/version.ts';
import type { RuntimeArchive } from '../../src/packaging/runtime-archive.ts';
import { build, claimedNode, install, readTar, scripts } from './installation.ts';

/** How many are kept beside those in use. */
const keptRecords = 5;

let root: string;
let cacheDir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-archive-'));
  cacheDir = join(root, 'cache');
});
afterEach(() => rm(root, { recursive: true }));

const problemOf = (error: ProviderError) => error.problems[0]!;
const made = () => readdir(join(cacheDir, 'runtimes'));

describe('the content', () => {
  it('is what processes of a cluster need, and nothing else', async () => {
    const options = await install(root, { others: { 'cli.js': '', 'jobmanager.js.map': '{}' } });
    const archive = await build(options, cacheDir);
    const tar = createReadStream(archive.file).pipe(createGunzip());
    expect([...(await readTar(tar))]).toEqual([
      ['0755 0:0 0 bin/', null],
      ['0755 0:0 0 bin/node', claimedNode],
      ['0755 0:0 0 dist/', null],
      ['0755 0:0 0 dist/chunks/', null],
      ['0644 0:0 0 dist/chunks/a.js', scripts['chunks/a.js']],
      ['0644 0:0 0 dist/chunks/b.js', scripts['chunks/b.js']],
      ['0755 0:0 0 dist/connectors/', null],
      ['0644 0:0 0 dist/connectors/files.js', scripts['connectors/files.js']],
      ['0644 0:0 0 dist/jobmanager.js', scripts['jobmanager.js']],
      ['0644 0:0 0 package.json', `{"name":"fctl","version":"${FCTL_VERSION}","type":"module"}\n`],
      ['0755 0:0 0 templates/', null],
      ['0755 0:0 0 templates/supervise.sh', '#!/bin/sh\n'],
    ]);
  });

  it('is named by the hash of the tar, whatever it was compressed with', async () => {
    const archive = await build(await install(root, {}), cacheDir);
    const bytes = await readFile(archive.file);
    expect(archive).toEqual({
      hash: sha256(gunzipSync(bytes)),
      file: join(cacheDir, 'runtimes', `${archive.hash}.tar.gz`),
      fileHash: sha256(bytes),
      sizeBytes: bytes.length,
      nodeVersion: '24.1.2',
    });
  });

  it('has the same name in every folder, at every time, in every order of the files', async () => {
    const order = fc.shuffledSubarray(Object.entries(scripts), {
      minLength: Object.keys(scripts).length,
    });
    let number = 0;
    const { hash } = await build(await install(join(root, 'first'), {}), cacheDir);
    await fc.assert(
      fc.asyncProperty(order, fc.integer({ min: 0, max: 4e9 }), async (entries, mtime) => {
        const folder = join(root, `folder ${number++}`);
        const options = await install(folder, { scripts: Object.fromEntries(entries), mtime });
        expect((await build(options, join(folder, 'cache'))).hash).toBe(hash);
      }),
      { numRuns: 20 },
    );
  });

  it('has another name when anything of it changes', async () => {
    const changes = [
      {},
      { node: `${claimedNode}\n` },
      { supervisor: '#!/bin/sh -u\n' },
      { scripts: { ...scripts, 'chunks/a.js': 'export const a = 2;\n' } },
      { scripts: { ...scripts, 'chunks/c.js': 'export const b = 1;\n' } },
    ];
    const hashes = new Set<string>();
    for (const [index, change] of changes.entries()) {
      const options = await install(join(root, String(index)), change);
      hashes.add((await build(options, cacheDir)).hash);
    }
    expect(hashes.size).toBe(changes.length);
  });
});

describe('the cache', () => {
  it('has an archive made once', async () => {
    const options = await install(root, {});
    const first = await build(options, cacheDir);
    const { ino, mtimeMs } = await stat(first.file);
    expect(await build(options, cacheDir)).toEqual(first);
    expect(await build(await install(join(root, 'copy'), {}), cacheDir)).toEqual(first);
    expect(await stat(first.file)).toMatchObject({ ino, mtimeMs });
  });

  it.each([
    ['cut off', (file: string) => truncate(file, 100)],
    ['gone', (file: string) => rm(file)],
    [
      'changed, and of the same size and time',
      async (file: string) => {
        const { atime, mtime } = await stat(file);
        const bytes = await readFile(file);
        bytes[200]! ^= 1;
        await writeFile(file, bytes);
        await utimes(file, atime, mtime);
      },
    ],
  ])('makes an archive again that is %s', async (_what, damage) => {
    const options = await install(root, {});
    const first = await build(options, cacheDir);
    await damage(first.file);
    const second = await build(options, cacheDir);
    expect(second.hash).toBe(first.hash);
    expect(sha256(gunzipSync(await readFile(second.file)))).toBe(first.hash);
  });

  it('makes an archive again of which it has no readable record', async () => {
    const options = await install(root, {});
    const first = await build(options, cacheDir);
    const records = join(cacheDir, 'runtimes/made');
    for (const name of await readdir(records)) await writeFile(join(records, name), '{"hash":');
    expect(await build(options, cacheDir)).toEqual(first);
  });

  it('is shared by callers in parallel', async () => {
    const options = await install(root, {});
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => build(options, cacheDir)));
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(1);
    expect(sha256(gunzipSync(await readFile(all[0]!.file)))).toBe(all[0]!.hash);
    expect(await made()).toEqual([`${all[0]!.hash}.tar.gz`, 'made']);
  });

  it('has nothing of an archive that was interrupted', async () => {
    const options = await install(root, {});
    await copyFile(process.execPath, options.node.file);
    const controller = new AbortController();
    const building = build(options, cacheDir, controller.signal);
    while (!(await made().catch(() => [])).some((name) => name.endsWith('.tmp'))) {
      await new Promise(setImmediate);
    }
    controller.abort(new Error('enough'));
    await expect(building).rejects.toThrow('enough');
    expect(await made()).toEqual([]);
  });

  it('has the archives that were used last, and those in use', async () => {
    const all: RuntimeArchive[] = [];
    const packed = async (index: number) => {
      const options = await install(join(root, String(index)), { supervisor: `#${index}` });
      return build(options, cacheDir);
    };
    for (let index = 0; index < 8; index++) all.push(await packed(index));
    expect(await made()).toHaveLength(all.length + 1); // none is old
    const yesterday = Date.now() / 1000 - 86_400;
    const records = join(cacheDir, 'runtimes/made');
    const old = all.map(({ file }) => file);
    for (const name of await readdir(records)) old.push(join(records, name));
    for (const file of old) await utimes(file, yesterday, yesterday);
    await packed(0); // used again
    all.push(await packed(8));
    const kept = await made();
    expect(kept).toHaveLength(keptRecords + 1);
    expect(kept).toContain(basename(all[0]!.file));
    expect(kept).toContain(basename(all[8]!.file));
    expect(await readdir(records)).toHaveLength(keptRecords);
  });

  it('is rid of what an interrupted fctl left there long ago', async () => {
    const options = await install(root, {});
    await build(options, cacheDir);
    const [long, short] = ['.0123456789ab.tmp', '.ba9876543210.tmp'];
    for (const name of [long, short]) await writeFile(join(cacheDir, 'runtimes', name), '');
    await utimes(join(cacheDir, 'runtimes', long), 1e9, 1e9);
    await build(await install(join(root, 'other'), { supervisor: '#' }), cacheDir);
    const kept = await made();
    expect(kept).not.toContain(long);
    expect(kept).toContain(short);
  });

  it('that cannot be written is an error that says so', async () => {
    const options = await install(root, {});
    const error = await build(options, join(options.node.file, 'cache')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ProviderError);
    expect(problemOf(error as ProviderError)).toMatchObject({
      code: 'cache-not-writable',
      hint: expect.stringContaining('XDG_CACHE_HOME'),
    });
  });
});

describe('an installation', () => {
  it('is not packed with a Node.js that is too old', async () => {
    const options = await install(root, { node: '#!/bin/sh\necho v22.17.0\n' });
    const error = await build(options, cacheDir).catch((e: unknown) => e);
    expect(problemOf(error as ProviderError)).toMatchObject({
      code: 'node-too-old',
      message: `${options.node.file} is Node.js 22.17.0, with which processes cannot run`,
      path: '/runtime/node',
    });
  });

  it('is not packed with a Node.js that cannot be read', async () => {
    const options = await install(root, {});
    await rm(options.node.file);
    const error = await build(options, cacheDir).catch((e: unknown) => e);
    expect(problemOf(error as ProviderError)).toMatchObject({
      code: 'node-not-readable',
      path: '/runtime/node',
    });
  });

  it('is packed with a Node.js that does not run here', async () => {
    const options = await install(root, { node: '\0' });
    expect((await build(options, cacheDir)).nodeVersion).toBe('unknown');
  });

  it.each([
    ['is not built', 'dist/runtime.json', 'there is no runtime in'],
    ['lacks a file', 'dist/chunks/a.js', 'incomplete: chunks/a.js'],
    ['lacks its supervisor', 'templates/supervise.sh', 'supervise.sh is missing'],
  ])('that %s is refused', async (_what, missing, message) => {
    const options = await install(root, {});
    await rm(join(root, missing));
    const error = await build(options, cacheDir).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ProviderError);
    expect(problemOf(error as ProviderError)).toMatchObject({
      code: 'runtime-missing',
      message: expect.stringContaining(message),
    });
  });

  it('that was built in between is refused', async () => {
    const options = await install(root, {});
    await writeFile(join(root, 'dist/jobmanager.js'), 'await import("./chunks/new.js");\n');
    await expect(build(options, cacheDir)).rejects.toThrow('damaged: jobmanager.js');
    expect(await made()).toEqual([]);
  });
});
