import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StreamExecutionEnvironment } from '../../src/api/environment.ts';
import { type JobDefinition, defineJob } from '../../src/api/job.ts';
import { sha256, sha256OfFile } from '../../src/contract/hash.ts';
import { type BlobUploader, shipCachedFiles } from '../../src/application/cached-files.ts';
import { findGraphProblems } from '../../src/graph/validate.ts';
import { compile, numbers, out } from '../graph/jobs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-cached-'));
  await writeFile(join(folder, 'words.txt'), 'a b c');
});
afterEach(() => rm(folder, { recursive: true }));

const job = defineJob('count', () => {}) as JobDefinition;

/** A cluster that verifies what it gets, as the blob store does. */
class Blobs implements BlobUploader {
  readonly stored = new Set<string>();
  uploads = 0;

  async has(hash: string): Promise<boolean> {
    return this.stored.has(hash);
  }

  async upload(hash: string, file: string): Promise<void> {
    this.uploads++;
    if ((await sha256OfFile(file)) !== hash)
      throw new Error('The content does not have this hash.');
    this.stored.add(hash);
  }
}

const ship = (paths: Record<string, string>, blobs: BlobUploader) =>
  shipCachedFiles(
    job,
    new Map(Object.entries(paths)),
    { mode: 'application', workingDirectory: folder },
    blobs,
  );

const registering = (...files: [path: string, name: string][]) =>
  compile((env: StreamExecutionEnvironment) => {
    for (const [path, name] of files) env.registerCachedFile(path, name);
    env.fromSource(numbers()).sinkTo(out());
  });

describe('registerCachedFile', () => {
  test('keeps paths out of the graph and its hash; names count', () => {
    const [none, a, b, other] = [
      registering(),
      registering(['x/words.txt', 'words']),
      registering(['/y.txt', 'words']),
      registering(['/y.txt', 'dictionary']),
    ];
    expect([...a!.cachedFiles]).toEqual([['words', 'x/words.txt']]);
    expect(JSON.stringify(a!.graph)).not.toContain('words.txt');
    expect(a!.graph.hash).toBe(b!.graph.hash);
    expect(new Set([none, a, other].map((made) => made!.graph.hash)).size).toBe(3);
  });

  test('does not depend on the order', () => {
    const files = [
      ['1', 'a'],
      ['2', 'b'],
    ] as [string, string][];
    expect(registering(...files).graph.hash).toBe(registering(...files.toReversed()).graph.hash);
  });

  test('refuses a name that is taken, and what is no name', () => {
    expect(() => registering(['1', 'a'], ['2', 'a'])).toThrow("two cached files have the name 'a'");
    expect(() => registering(['', 'a'])).toThrow('needs the path of a file and a name');
    expect(() => registering(['1', 7 as never])).toThrow('needs the path of a file and a name');
  });
});

describe('shipping', () => {
  test('names files by content and uploads what is missing, once', async () => {
    const blobs = new Blobs();
    const hash = sha256('a b c');
    const files = await ship({ words: 'words.txt', again: join(folder, 'words.txt') }, blobs);
    expect(files).toEqual({ words: { hash, sizeBytes: 5 }, again: { hash, sizeBytes: 5 } });
    expect([...blobs.stored]).toEqual([hash]);
    await ship({ words: 'words.txt' }, blobs);
    expect(blobs.uploads).toBe(1);
    const graph = { ...registering().graph, cachedFiles: files };
    expect(findGraphProblems(graph)).toEqual([]);
    expect(findGraphProblems({ ...graph, cachedFiles: { words: { hash } } })).toEqual([
      'cachedFiles must name files, each by its hash and sizeBytes',
    ]);
  });

  test('of nothing asks nobody', async () => {
    expect(await ship({}, { has: never, upload: never })).toBeNull();
  });

  test.each([
    ['missing.txt', 'does not exist'],
    ['folder', 'is no file; a folder has to be packed into one'],
    ['words.txt/below', 'cannot be read'],
  ])('refuses %s, naming job, file and mode', async (path, message) => {
    await mkdir(join(folder, 'folder'));
    const refused = ship({ words: path }, { has: never, upload: never });
    await expect(refused).rejects.toMatchObject({ problems: [{ code: 'cached-file' }] });
    for (const text of [
      "job 'count'",
      join(folder, path),
      "'words'",
      message,
      'application mode',
    ]) {
      await expect(refused).rejects.toThrow(text);
    }
  });

  test('tells why the cluster did not take a file', async () => {
    const refusing = {
      has: async () => false,
      upload: () => Promise.reject(new Error('The content does not have this hash.')),
    };
    await expect(ship({ words: 'words.txt' }, refusing)).rejects.toThrow(
      'cannot be brought to the cluster: The content does not have this hash.',
    );
  });
});

const never = () => Promise.reject(new Error('nothing to ask'));
