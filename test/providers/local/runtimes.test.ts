/** Copies of the runtime: made once, whole or not at all, and removed when nobody needs them. */
import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import {
  type RuntimeFiles,
  installRuntime,
  pruneRuntimes,
} from '../../../src/providers/local/runtimes.ts';
import { onTmpfs, whyNoTmpfs } from '../../tmpfs.ts';

const { signal } = new AbortController();
const hour = 3_600_000;
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-runtimes-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(home, { recursive: true, force: true });
});

const script = (hash: string) => join(home, 'runtimes', hash, 'dist/jobmanager.js');
const runtimes = async () => (await readdir(join(home, 'runtimes'))).sort();
const later = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });

/** A runtime of one script. */
function filesOf(hash: string, content = 'run();\n'): RuntimeFiles & { written: number } {
  const files = {
    hash,
    written: 0,
    isWhole: async (folder: string) =>
      (await readFile(join(folder, 'dist/jobmanager.js'), 'utf8').catch(() => '')) === content,
    writeTo: async (folder: string) => {
      files.written++;
      await mkdir(join(folder, 'dist'), { recursive: true });
      await writeFile(join(folder, 'dist/jobmanager.js'), content);
    },
  };
  return files;
}

describe('a copy', () => {
  it('is made once, and touched by whoever uses it next', async () => {
    const files = filesOf('aaaa');
    await installRuntime(home, files, signal);
    await utimes(join(home, 'runtimes/aaaa'), 0, 0);
    await installRuntime(home, files, signal);
    expect(files.written).toBe(1);
    expect((await stat(join(home, 'runtimes/aaaa'))).mtimeMs).toBeGreaterThan(0);
    expect(await runtimes()).toEqual(['aaaa']);
  });

  it('is made by several at the same time, and is whole for each of them', async () => {
    const all = Array.from({ length: 8 }, async () => {
      const files = filesOf('aaaa');
      await installRuntime(home, files, signal);
      return files.isWhole(join(home, 'runtimes/aaaa'));
    });
    expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
    expect(await runtimes()).toEqual(['aaaa']);
  });

  it.each([
    ['removed', () => rm(script('aaaa'))],
    ['cut off', () => writeFile(script('aaaa'), '')],
  ])('of which something was %s is made anew', async (_name, damage) => {
    await installRuntime(home, filesOf('aaaa'), signal);
    await damage();
    await installRuntime(home, filesOf('aaaa'), signal);
    expect(await readFile(script('aaaa'), 'utf8')).toBe('run();\n');
    expect(await runtimes()).toEqual(['aaaa']);
  });

  it('that cannot be finished leaves nothing', async () => {
    const files = filesOf('aaaa');
    const failing = {
      ...files,
      writeTo: async (folder: string) => {
        await files.writeTo(folder, signal);
        throw new Error('damaged');
      },
    };
    await expect(installRuntime(home, failing, signal)).rejects.toThrow('damaged');
    expect(await runtimes()).toEqual([]);
  });

  it.skipIf(whyNoTmpfs !== null)('has no room on a disk that is full', async () => {
    await onTmpfs(home, 64, async () => {
      const large = filesOf('aaaa', 'x'.repeat(1 << 20));
      await expect(installRuntime(home, large, signal)).rejects.toMatchObject({
        problems: [{ code: 'disk-full', path: '/providers/local/dir' }],
      });
      await installRuntime(home, filesOf('aaaa'), signal);
      expect(await runtimes()).toEqual(['aaaa']);
    });
  });

  it('is refused where the home cannot be written', async () => {
    await writeFile(join(home, 'runtimes'), '');
    await expect(installRuntime(home, filesOf('aaaa'), signal)).rejects.toMatchObject({
      problems: [{ code: 'home-not-writable' }],
    });
  });
});

describe('pruning', () => {
  it('keeps what was made, or is being made, a moment ago, and removes it later', async () => {
    await installRuntime(home, filesOf('aaaa'), signal);
    await mkdir(join(home, 'runtimes/.bbbb.4711'));
    later(hour - 60_000);
    expect(await pruneRuntimes(home)).toEqual([]);
    later(2 * 60_000);
    const paths = ['.bbbb.4711', 'aaaa'].map((name) => join(home, 'runtimes', name));
    expect(await pruneRuntimes(home)).toEqual(paths);
    expect(await runtimes()).toEqual([]);
  });

  it('keeps what a process of a cluster was started with, and what cannot be read keeps nothing', async () => {
    for (const hash of ['aaaa', 'bbbb']) await installRuntime(home, filesOf(hash), signal);
    const processes = join(home, 'clusters/demo/processes');
    for (const [name, spec] of [
      ['jobmanager-0', '{"place":{"runtime":"aaaa"}}'],
      ['taskmanager-0', '{"place":{"run'],
    ] as const) {
      await mkdir(join(processes, name), { recursive: true });
      await writeFile(join(processes, name, 'spec.json'), spec);
    }
    later(24 * hour);
    expect(await pruneRuntimes(home)).toEqual([join(home, 'runtimes/bbbb')]);
    expect(await runtimes()).toEqual(['aaaa']);
  });

  it('is what the local provider does', async () => {
    const options = { home, runtimeDir: home, supervisor: '', node: '', environment: {} };
    const provider = createLocalProvider({
      ...options,
      runtimeFiles: async () => filesOf('aaaa'),
    });
    await provider.install({ kind: 'fctl' }, { signal, onProgress: () => {} });
    expect(await provider.prune({ signal })).toEqual([]);
    later(2 * hour);
    expect(await provider.prune({ signal })).toEqual([join(home, 'runtimes/aaaa')]);
  });

  it('does nothing where nothing was ever started', async () => {
    expect(await pruneRuntimes(home)).toEqual([]);
  });
});
