/**
 * What is removed for a cluster lies in its own folder; everything else stays. Each path lies below the
 * home of the test, so that a fault removes no more than that.
 */
import type { ClusterId } from '../../../src/contract/cluster-id.ts';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { clusterIdsIn, clusterLayout, removeOf } from '../../../src/providers/local/layout.ts';

let home: string;
const folderOf = (id: string) => join(home, 'clusters', id);
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-layout-'));
  for (const id of ['demo', 'other']) {
    await mkdir(join(folderOf(id), 'work'), { recursive: true });
    await writeFile(join(folderOf(id), 'work', 'file'), '');
  }
});
afterEach(() => rm(home, { recursive: true, force: true }));

it.each(['', '.', '..', 'a/b', '../demo', 'A', 'x'.repeat(41)])('has no folder for %j', (id) => {
  expect(() => clusterLayout(home, id as ClusterId)).toThrow('id');
});

it.each([
  ['the folder of all clusters', '..'],
  ['the cluster itself by way of its parts', 'processes/..'],
  ['another cluster', '../other'],
  ['one whose name begins alike', '../demo-2'],
])('removes nothing of %s', async (_what, path) => {
  await mkdir(folderOf('demo-2'));
  const layout = clusterLayout(home, demo);
  await expect(removeOf(layout, join(layout.root, path))).rejects.toThrow('is not removed');
  for (const id of ['demo/work', 'demo-2', 'other/work'])
    expect(existsSync(folderOf(id))).toBe(true);
});

it('removes what lies below, also what is called as if it did not', async () => {
  const layout = clusterLayout(home, demo);
  const odd = join(layout.work, '..odd');
  await writeFile(odd, '');
  await removeOf(layout, odd);
  expect(existsSync(odd)).toBe(false);
  await removeOf(layout, layout.work);
  expect(existsSync(layout.work)).toBe(false);
  expect(existsSync(folderOf('other/work'))).toBe(true);
});

it('takes nothing for a cluster that lies there by chance', async () => {
  for (const name of ['.DS_Store', 'lost+found', 'Backup']) await writeFile(folderOf(name), '');
  expect(await clusterIdsIn(home)).toEqual(['demo', 'other']);
});
