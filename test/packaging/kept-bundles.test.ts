import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeUnusedBundles } from '../../src/packaging/kept-bundles.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-bundles-'));
});
afterEach(() => rm(folder, { recursive: true }));

const day = 24 * 3_600_000;
const now = 1e12;

/** A bundle that was used so many days ago. */
async function bundle(index: number, daysAgo: number, suffix = ''): Promise<string> {
  const name = `${index.toString(16).padStart(64, '0')}.mjs${suffix}`;
  await writeFile(join(folder, name), '');
  const usedAt = (now - daysAgo * day) / 1000;
  await utimes(join(folder, name), usedAt, usedAt);
  return name;
}

it('keeps the bundles that were used last, and those of the last day', async () => {
  const kept = [];
  for (let i = 0; i < 20; i++) kept.push(await bundle(i, i < 10 ? 0.5 : 10 + i));
  const old = await bundle(20, 100);
  const begun = await bundle(21, 200, '.1a2b3c4d');
  expect(await removeUnusedBundles(folder, now)).toEqual([old, begun].map((n) => join(folder, n)));
  expect((await readdir(folder)).toSorted()).toEqual(kept.toSorted());
});

it('removes none of many that were used today, and nothing that is no bundle', async () => {
  for (let i = 0; i < 30; i++) await bundle(i, 0.9);
  await writeFile(join(folder, 'notes.txt'), '');
  await utimes(join(folder, 'notes.txt'), 1, 1);
  expect(await removeUnusedBundles(folder, now)).toEqual([]);
  expect(await readdir(folder)).toHaveLength(31);
});

it('has nothing to do where there are none', async () => {
  expect(await removeUnusedBundles(join(folder, 'nowhere'), now)).toEqual([]);
});
