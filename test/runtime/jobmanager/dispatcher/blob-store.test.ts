import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../../src/contract/hash.ts';
import { createBlobStore } from '../../../../src/runtime/jobmanager/dispatcher/blob-store.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fctl-blobs-'));
});

afterEach(() => rm(directory, { recursive: true }));

describe('blobs', () => {
  const content = 'export const x = 1;';
  const hash = sha256(content);
  const create = (placed: ReadonlyMap<string, string> = new Map()) =>
    createBlobStore({ directory: join(directory, 'blobs'), placed });

  it('are found once they were put', async () => {
    const blobs = create();
    expect(await blobs.find(hash)).toBeNull();
    expect(await blobs.put(hash, Readable.from([content]))).toBe('created');
    const found = await blobs.find(hash);
    expect(found?.sizeBytes).toBe(content.length);
    expect(await readFile(found!.file, 'utf8')).toBe(content);
    expect(await blobs.put(hash, Readable.from([content]))).toBe('exists');
  });

  it('are refused, and leave nothing, when the content is another (B1)', async () => {
    const blobs = create();
    expect(await blobs.put(hash, Readable.from(['something else']))).toBe('hash-differs');
    expect(await blobs.find(hash)).toBeNull();
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  });

  const broken = (first: string) =>
    Readable.from(
      (async function* () {
        yield first;
        throw new Error('connection lost');
      })(),
    );

  it('go on where an upload broke off (B3)', async () => {
    const blobs = create();
    await expect(blobs.put(hash, broken(content.slice(0, 5)))).rejects.toThrow('connection lost');
    expect(await blobs.find(hash)).toBeNull();
    expect(await blobs.part(hash)).toEqual({ sizeBytes: 5, isGrowing: false });
    const rest = (offset: number) => Readable.from([content.slice(offset)]);
    expect(await blobs.put(hash, rest(4), 4)).toBe('other-offset');
    const again = broken(content.slice(5, 8));
    await expect(blobs.put(hash, again, 5)).rejects.toThrow('connection lost');
    expect(await create().put(hash, rest(8), 8)).toBe('created'); // another process
    expect(await readFile((await blobs.find(hash))!.file, 'utf8')).toBe(content);
    expect(await blobs.part(hash)).toEqual({ sizeBytes: 0, isGrowing: false });
  });

  it('that do not have their hash in the end leave nothing, however they came (B1)', async () => {
    const blobs = create();
    await expect(blobs.put(hash, broken('other'))).rejects.toThrow('connection lost');
    expect(await blobs.put(hash, Readable.from([content.slice(5)]), 5)).toBe('hash-differs');
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  });

  it('are written by the newest upload alone (B2)', async () => {
    const blobs = create();
    const endless = new Readable({ read: () => {} });
    endless.push(content.slice(0, 5));
    const older = blobs.put(hash, endless);
    await expect.poll(() => blobs.part(hash)).toEqual({ sizeBytes: 5, isGrowing: true });
    expect(blobs.isUploading).toBe(true);
    const newer = blobs.put(hash, Readable.from([content.slice(5)]), 5);
    expect(await older).toBe('superseded');
    expect(await newer).toBe('created');
    expect(blobs.isUploading).toBe(false);
  });

  it('of which many are uploaded at once are there once, whole', async () => {
    const blobs = create();
    const results = await Promise.all(
      Array.from({ length: 20 }, () => blobs.put(hash, Readable.from(content.split('')))),
    );
    expect(results.filter((result) => result === 'created')).toHaveLength(1);
    expect(await readFile((await blobs.find(hash))!.file, 'utf8')).toBe(content);
    expect(await readdir(join(directory, 'blobs'))).toEqual([hash]);
  });

  it('leave nothing where they cannot be written (B3)', async () => {
    const blobs = create();
    await mkdir(join(directory, 'blobs'));
    await symlink('/dev/full', join(directory, 'blobs', `.${hash}.part`));
    await expect(blobs.put(hash, Readable.from([content]))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, -3)],
    ['emptied', () => ''],
    ['changed, at the same length', (text: string) => text.replace('1', '2')],
  ])(
    'that were %s on disk are not there, and can be uploaded again (B1)',
    async (_what, damage) => {
      await create().put(hash, Readable.from([content]));
      await writeFile(join(directory, 'blobs', hash), damage(content));
      const blobs = create();
      expect(await blobs.find(hash)).toBeNull();
      expect(await blobs.put(hash, Readable.from([content]))).toBe('created');
      expect(await readFile((await blobs.find(hash))!.file, 'utf8')).toBe(content);
    },
  );

  it('that were damaged while this JobManager runs are not there either (B1)', async () => {
    const blobs = create();
    await blobs.put(hash, Readable.from([content]));
    await writeFile(join(directory, 'blobs', hash), 'half a bun');
    expect(await blobs.find(hash)).toBeNull();
    expect(await blobs.put(hash, Readable.from([content]))).toBe('created');
  });

  it('may lie where the provider placed them', async () => {
    const file = join(directory, 'application.mjs');
    await writeFile(file, content);
    const blobs = create(new Map([[hash, file]]));
    expect(await blobs.find(hash)).toEqual({ file, sizeBytes: content.length });
  });

  it('have no other name than a hash', async () => {
    const blobs = create();
    await writeFile(join(directory, 'secret'), 'x');
    expect(await blobs.find('../secret')).toBeNull();
    expect(await blobs.put('../other', Readable.from(['x']))).toBe('hash-differs');
    expect(await readdir(directory)).toEqual(['secret']);
  });
});
