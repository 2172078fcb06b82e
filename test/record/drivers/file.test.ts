import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProviderError } from '../../../src/contract/errors.ts';
import { type FileStore, createFileStore } from '../../../src/record/drivers/file.ts';
import { MemoryStore } from '../../../src/record/drivers/memory.ts';
import { isRecordDamaged } from '../../../src/record/store.ts';

let folder: string;
let store: FileStore;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'fctl-record-')), 'record');
  store = createFileStore(folder);
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const valueOf = async (name: string) => (await store.read([name])).get(name)?.value;

/** As if it had been written long ago. */
const age = async (file: string, ms: number) => {
  const at = (Date.now() - ms) / 1000;
  await utimes(join(folder, file), at, at);
};

describe('documents in files', () => {
  it('are absent before the first write, and make no folder', async () => {
    expect(await store.read(['lock'])).toEqual(new Map());
    expect(await store.read()).toEqual(new Map());
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('are what was written last, one by one and all at once', async () => {
    let version: string | null = null;
    for (let n = 1; n <= 3; n++) version = await store.write('lock', { n }, version);
    await store.write('releases', [1], null);
    const all = await store.read();
    expect([...all.keys()].sort()).toEqual(['lock', 'releases']);
    expect(all.get('lock')).toMatchObject({ version, value: { n: 3 } });
    expect(all.get('lock')!.ageMs).toBeLessThan(60_000);
    expect(await store.read(['lock', 'outcome'])).toMatchObject(
      new Map([['lock', { version, value: { n: 3 } }]]),
    );
  });

  it('are not written by who expects an older or a newer version, or none', async () => {
    const first = await store.write('lock', ['first'], null);
    const second = await store.write('lock', ['second'], first);
    expect(await store.write('lock', ['late'], first)).toBeNull();
    expect(await store.write('lock', ['later'], null)).toBeNull();
    expect(await store.write('lock', ['early'], '7')).toBeNull();
    expect((await store.read(['lock'])).get('lock')).toMatchObject({
      version: second,
      value: ['second'],
    });
  });

  it('are written by exactly one of many at the same time', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.write('lock', [n], null)),
    );
    const winners = results.flatMap((version, n) => (version === null ? [] : [n]));
    expect(winners).toHaveLength(1);
    expect(await valueOf('lock')).toEqual([winners[0]]);
  });

  it('are kept apart where names begin alike, and from leftovers of a dead writer', async () => {
    await store.write('release', [1], null);
    await store.write('releases', [2], null);
    await writeFile(join(folder, '.release.abc.tmp'), '{"half":');
    expect(await valueOf('release')).toEqual([1]);
    expect(await valueOf('releases')).toEqual([2]);
  });

  it.each(['{"half":', '', 'null', '7'])('say that they are damaged: %s', async (text) => {
    await mkdir(folder);
    await writeFile(join(folder, 'lock.3.json'), text);
    const error = await store.read(['lock']).catch((e: unknown) => e);
    expect(isRecordDamaged(error)).toBe(true);
    expect((error as ProviderError).problems[0]!.file).toBe(join(folder, 'lock.3.json'));
    expect(await store.read(['outcome'])).toEqual(new Map());
  });

  it('are not read or written once the signal is aborted', async () => {
    const call = { signal: AbortSignal.abort(new Error('enough')) };
    await store.write('lock', [1], null);
    await expect(store.read(['lock'], call)).rejects.toThrow('enough');
    await expect(store.write('lock', [2], '1', call)).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual(['lock.1.json']);
  });

  it('whose record was removed are not made again by who replaces one', async () => {
    const version = await store.write('lock', [1], null);
    await rm(folder, { recursive: true });
    expect(await store.write('lock', [2], version)).toBeNull();
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});

describe.each([
  ['in files', () => store],
  ['in memory', () => new MemoryStore()],
])('a document %s', (_where, open) => {
  it('has a largest size, and one that is larger changes nothing', async () => {
    const at = open();
    const text = (bytes: number) => ['é'.repeat(bytes / 2 - 2)];
    expect(at.maxBytes).toBe(256 * 1024);
    const version = await at.write('jobs', text(at.maxBytes), null);
    expect(version).not.toBeNull();
    const refused = await at.write('jobs', text(at.maxBytes + 2), version).catch((e: unknown) => e);
    expect((refused as ProviderError).problems[0]).toMatchObject({ code: 'document-too-large' });
    expect((await at.read(['jobs'])).get('jobs')!.version).toBe(version);
  });
});

describe('old versions', () => {
  it('stay while they are young, or among the newest', async () => {
    let version: string | null = null;
    for (let n = 1; n <= 8; n++) version = await store.write('lock', [n], version);
    expect(await readdir(folder)).toHaveLength(8);
    for (const n of [1, 2, 3, 7]) await age(`lock.${n}.json`, 3_600_000);
    version = await store.write('lock', [9], version);
    expect((await readdir(folder)).sort()).toEqual([4, 5, 6, 7, 8, 9].map((n) => `lock.${n}.json`));
    for (const n of [4, 5, 6, 7, 8, 9]) await age(`lock.${n}.json`, 3_600_000);
    await writeFile(join(folder, '.lock.dead.tmp'), '[');
    await writeFile(join(folder, '.releases.writing.tmp'), '[');
    await store.write('lock', [10], version);
    expect((await readdir(folder)).sort()).toEqual([
      '.releases.writing.tmp',
      'lock.10.json',
      'lock.7.json',
      'lock.8.json',
      'lock.9.json',
    ]);
  });
});
