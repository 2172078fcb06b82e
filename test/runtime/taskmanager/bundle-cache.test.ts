import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/contract/hash.ts';
import {
  BundleCache,
  type BundleLease,
  type FetchBlob,
  KEPT_BUNDLES,
} from '../../../src/runtime/taskmanager/bundle-cache.ts';

let folder: string;
let cache: BundleCache;
let fetched: string[];
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fctl-bundles-'));
  fetched = [];
  warnings = [];
  cache = new BundleCache(folder, (message) => warnings.push(message));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The JobManager has these. */
const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `export const is = '${name}';\n`);
const serve: FetchBlob = async (hash) => {
  fetched.push(hash);
  const text = texts.find((candidate) => sha256(candidate) === hash);
  if (text === undefined) throw new Error('not here');
  return Readable.from([text]);
};

const acquire = (index: number) => cache.acquire(sha256(texts[index]!), serve);
async function use(index: number): Promise<BundleLease> {
  const lease = acquire(index);
  await lease.file;
  return lease;
}
const held = () =>
  readdirSync(folder)
    .map((name) => texts.findIndex((text) => name === `${sha256(text)}.mjs`))
    .toSorted((a, b) => a - b);

describe('a bundle', () => {
  it('is fetched once for all that ask meanwhile, and for those that come later', async () => {
    const [first, second] = [acquire(0), acquire(0)];
    const file = await first.file;
    expect(await second.file).toBe(file);
    expect(await acquire(0).file).toBe(file);
    expect(readFileSync(file, 'utf8')).toBe(texts[0]);
    expect(fetched).toHaveLength(1);
  });

  it('of an earlier process is used without fetching it', async () => {
    await use(0);
    cache = new BundleCache(folder, (message) => warnings.push(message));
    await use(0);
    expect(fetched).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, -5)],
    ['emptied', () => ''],
    ['changed, at the same length', (text: string) => text.replace('is', 'si')],
  ])('that was %s on disk is fetched again', async (_name, damage) => {
    const lease = await use(0);
    const file = await lease.file;
    writeFileSync(file, damage(texts[0]!));
    await use(0);
    expect(readFileSync(file, 'utf8')).toBe(texts[0]);
    expect(fetched).toHaveLength(2);
    expect(warnings).toEqual([expect.stringContaining(file)]);
  });

  it('that was damaged while no process ran is fetched again', async () => {
    writeFileSync(join(folder, `${sha256(texts[0]!)}.mjs`), 'half a bun');
    const { file } = await use(0);
    expect(readFileSync(await file, 'utf8')).toBe(texts[0]);
  });

  it('that cannot be had rejects, and is asked for again by the next', async () => {
    const hash = sha256('elsewhere');
    await expect(cache.acquire(hash, serve).file).rejects.toThrow('not here');
    const other: FetchBlob = async () => Readable.from(['elsewhere']);
    expect(readFileSync(await cache.acquire(hash, other).file, 'utf8')).toBe('elsewhere');
  });

  it('whose connection breaks on the way is refused, and nothing is kept of it', async () => {
    const breaking: FetchBlob = async () =>
      Readable.from(
        (async function* () {
          yield 'th';
          throw new Error('connection lost');
        })(),
      );
    await expect(cache.acquire(sha256('this'), breaking).file).rejects.toThrow('connection lost');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with other bytes than its name says is refused, and nothing is kept of it', async () => {
    const wrong: FetchBlob = async () => Readable.from(['else']);
    await expect(cache.acquire(sha256('this'), wrong).file).rejects.toThrow(/damaged on its way/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('bundles that nothing uses', () => {
  it('stay as long as they are among the last ones used', async () => {
    const leases = [];
    for (let i = 0; i < texts.length; i++) leases.push(await use(i));
    for (const lease of leases) lease.release();
    expect(held()).toEqual([4, 5, 6]);
    expect(KEPT_BUNDLES).toBe(3);
    (await use(4)).release();
    (await use(0)).release();
    expect(held()).toEqual([0, 4, 6]);
  });

  it('do not take the place of those in use', async () => {
    const [twice, again] = [await use(0), await use(0)];
    twice.release();
    twice.release();
    for (let i = 1; i < texts.length; i++) (await use(i)).release();
    expect(held()).toEqual([0, 4, 5, 6]);
    again.release();
    expect(held()).toEqual([0, 5, 6]);
  });

  it('are not removed while they are fetched', async () => {
    const gate = Promise.withResolvers<Readable>();
    const slow = cache.acquire(sha256(texts[0]!), () => gate.promise);
    for (let i = 1; i < texts.length; i++) (await use(i)).release();
    slow.release();
    gate.resolve(Readable.from([texts[0]!]));
    expect(readFileSync(await slow.file, 'utf8')).toBe(texts[0]);
  });

  it('of an earlier process go first, the oldest ones, with what it left half-written', async () => {
    for (const [index, text] of texts.entries()) {
      if (index === 0) continue;
      const file = join(folder, `${sha256(text)}.mjs`);
      writeFileSync(file, text);
      utimesSync(file, 1000 + index, 1000 + index);
    }
    writeFileSync(join(folder, `${sha256(texts[0]!)}.mjs.0a1b2c3d`), 'half');
    writeFileSync(join(folder, 'notes'), 'not ours');
    (await use(0)).release();
    expect(readdirSync(folder)).toContain('notes');
    rmSync(join(folder, 'notes'));
    expect(held()).toEqual([0, 5, 6]);
  });

  it('are no failure when they cannot be removed', async () => {
    const lease = cache.acquire('not a hash', serve);
    await expect(lease.file).rejects.toThrow(/is not the hash/);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file in its place');
    lease.release();
    expect(warnings).toEqual([expect.stringMatching(/cannot remove old bundles/)]);
  });
});
