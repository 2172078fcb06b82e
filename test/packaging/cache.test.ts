/** Hashes of large files, which are kept as long as the files are the same. */
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256 } from '../../src/contract/hash.ts';
import { hashOf, keepHash } from '../../src/packaging/cache.ts';

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-cache-'));
  file = join(root, 'file');
});
afterEach(() => rm(root, { recursive: true }));

/** Until the clock that files are dated with has moved. */
async function nextTick(): Promise<void> {
  const probe = join(root, 'probe');
  const dated = async (path: string) => (await stat(path, { bigint: true })).ctimeNs;
  const now = await dated(file);
  do await writeFile(probe, '');
  while ((await dated(probe)) === now);
}

it('does not read a file again that is the same', async () => {
  await writeFile(file, 'content');
  await keepHash(file, 'what it was said to be', root);
  expect(await hashOf(file, root)).toBe('what it was said to be');
});

it.each([
  ['written', () => writeFile(file, 'CONTENT')],
  ['written as it was', async () => writeFile(file, await readFile(file))],
  ['given another time', () => utimes(file, 1, 1)],
  [
    'replaced',
    async () => {
      await rm(file);
      await writeFile(file, 'another');
    },
  ],
])('reads a file again that was %s', async (_what, change) => {
  await writeFile(file, 'content');
  await keepHash(file, 'what it was said to be', root);
  await nextTick();
  await change();
  expect(await hashOf(file, root)).toBe(sha256(await readFile(file)));
});

it('is not fooled by a file that changes faster than its times', async () => {
  for (let n = 100; n < 300; n++) {
    await writeFile(file, String(n));
    expect(await hashOf(file, root)).toBe(sha256(String(n)));
  }
});
