/** Pruning a host removes what nobody uses, and nothing that somebody is about to use. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pruneHost } from '../../../src/providers/standalone/agent/prune.ts';

const hour = 3_600_000;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fctl-prune-'));
  for (const name of ['aaaa', '.bbbb.4711']) {
    await mkdir(join(dir, 'runtimes', name, 'bin'), { recursive: true });
    // As tar unpacks it: with the times of the archive.
    await utimes(join(dir, 'runtimes', name), 0, 0);
  }
  await mkdir(join(dir, 'agents'));
  await writeFile(join(dir, 'agents', 'cccc.mjs'), '');
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(dir, { recursive: true, force: true });
});

const later = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
const runtimes = async () => (await readdir(join(dir, 'runtimes'))).sort();

it('keeps what was installed, or is being unpacked, a moment ago', async () => {
  expect(await pruneHost(dir)).toEqual([]);
  later(hour - 60_000);
  expect(await pruneHost(dir)).toEqual([]);
  expect(await runtimes()).toEqual(['.bbbb.4711', 'aaaa']);
});

it('removes what nobody has used since, and leaves nothing beside', async () => {
  later(hour + 60_000);
  const paths = ['runtimes/.bbbb.4711', 'runtimes/aaaa', 'agents/cccc.mjs'];
  expect(await pruneHost(dir)).toEqual(paths.map((path) => join(dir, path)));
  expect(await runtimes()).toEqual([]);
  expect(await readdir(join(dir, 'agents'))).toEqual([]);
});

it('keeps an old one that a deployment has touched because it is there', async () => {
  later(hour + 60_000);
  const now = Date.now() / 1000;
  await utimes(join(dir, 'runtimes', 'aaaa'), now, now);
  expect(await pruneHost(dir)).toContain(join(dir, 'runtimes', '.bbbb.4711'));
  expect(await runtimes()).toEqual(['aaaa']);
});

it('keeps one that a process of a cluster was started with', async () => {
  const folder = join(dir, 'clusters', 'demo', 'processes', 'jobmanager-0');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'spec.json'), JSON.stringify({ place: { runtime: 'aaaa' } }));
  later(24 * hour);
  await pruneHost(dir);
  expect(await runtimes()).toEqual(['aaaa']);
});
