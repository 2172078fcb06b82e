import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/contract/hash.ts';
import { createBlobStore } from '../../../src/runtime/jobmanager/blob-store.ts';

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

  it('leave nothing when the upload breaks off', async () => {
    const blobs = create();
    const broken = Readable.from(
      (async function* () {
        yield content;
        throw new Error('connection lost');
      })(),
    );
    await expect(blobs.put(hash, broken)).rejects.toThrow('connection lost');
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
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
