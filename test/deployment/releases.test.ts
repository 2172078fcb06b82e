/** The history of releases and the audit log: what is kept, and what is meant by a name. */
import { expect, it } from 'vitest';
import { type ReleaseEntry, ReleaseStatus } from '../../src/record/documents.ts';
import { ClusterError } from '../../src/contract/errors.ts';
import { audited, readAudit } from '../../src/deployment/audit.ts';
import {
  findRelease,
  markRelease,
  previousStable,
  readReleases,
  recordRelease,
} from '../../src/deployment/releases.ts';
import { FakePlatform, openFake } from 'fctl/provider-testing';
import { systemClock } from '../../src/contract/clock.ts';
import { MemoryStore } from '../../src/record/drivers/memory.ts';
import { demo } from '../demo.ts';

const entry = (release: string, status: ReleaseEntry['status'] = 'stable') => ({
  release,
  cause: 'deploy' as const,
  createdAt: 0,
  afterEpoch: 0,
  by: 'somebody@somewhere/1',
  fctlVersion: '0.1.0',
  engine: 'bundled 0.1.0',
  status,
  config: {},
  secretsHash: null,
  bundleHash: null,
  bundleSizeBytes: 0,
  clientDir: '/',
});

const numbered = (...entries: ReturnType<typeof entry>[]): ReleaseEntry[] =>
  entries.map((e, i) => ({ ...e, number: i + 1 }));

it('numbers releases on, also when old ones are forgotten', async () => {
  const store = new MemoryStore();
  for (let i = 1; i <= 25; i++) {
    const { number } = await recordRelease(store, entry(`r${i}`, 'intended'));
    expect(number).toBe(i);
    await markRelease(store, number, ReleaseStatus.stable);
  }
  const kept = await readReleases(store);
  expect(kept.map((r) => r.number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 6));
  expect(kept.every((r) => r.status === 'stable')).toBe(true);
});

it.each([
  ['nothing', [], null],
  ['the first one', [entry('a')], null],
  ['the second one', [entry('a'), entry('b')], 1],
  ['one that failed', [entry('a'), entry('b', 'failed')], 1],
  ['one after a failed one', [entry('a'), entry('b', 'failed'), entry('c')], 1],
  ['the same again', [entry('a'), entry('b'), entry('b')], 1],
  ['one that came by a rollback', [entry('a'), entry('b', 'rolled-back'), entry('a')], null],
  ['one that is not done', [entry('a'), entry('b', 'intended')], 1],
])('goes back from %s', (_what, entries, expected) => {
  expect(previousStable(numbered(...entries))?.number ?? null).toBe(expected);
});

it('finds a release by its number or the beginning of its hash', () => {
  const all = numbered(entry('aaaa1'), entry('bbbb1'), entry('aaaa1'), entry('bbbb2'));
  expect(findRelease(all, '2').number).toBe(2);
  expect(findRelease(all, 'aaaa').number).toBe(3);
  expect(findRelease(all, 'bbbb2').number).toBe(4);
  expect(() => findRelease(all, 'bbbb')).toThrow(/several releases begin with bbbb/);
  expect(() => findRelease(all, '9')).toThrow(/there is no release 9/);
  expect(() => findRelease([], 'a')).toThrow(ClusterError);
});

function siteOfMemory() {
  const { signal } = new AbortController();
  const provider = openFake(new FakePlatform());
  return { site: { provider, engines: {}, clock: systemClock, signal }, signal };
}

it('writes down what was done and how it went, and forgets the oldest', async () => {
  const { signal, site } = siteOfMemory();
  const store = site.provider.record(demo);
  await audited(site, demo, 'scale', signal, async () => {});
  await expect(
    audited(site, demo, 'restart', signal, () => Promise.reject(new Error('no luck'))),
  ).rejects.toThrow('no luck');
  expect(await readAudit(store)).toMatchObject([
    { action: 'scale', release: null, result: 'succeeded', message: null },
    { action: 'restart', release: null, result: 'failed', message: 'Error: no luck' },
  ]);
  const both = [1, 2].map((n) => audited(site, demo, `at once ${n}`, signal, async () => {}));
  await Promise.all(both);
  expect(await readAudit(store)).toHaveLength(4);
  for (let i = 0; i < 200; i++) await audited(site, demo, `${i}`, signal, async () => {});
  expect((await readAudit(store)).map((e) => e.action)).toEqual(
    Array.from({ length: 200 }, (_, i) => `${i}`),
  );
});

it('keeps the newest entries that a document has room for', async () => {
  const store = new MemoryStore();
  const config = { note: 'x'.repeat(50_000) };
  for (let i = 1; i <= 9; i++) await recordRelease(store, { ...entry(`r${i}`), config });
  expect((await readReleases(store)).map((r) => r.number)).toEqual([5, 6, 7, 8, 9]);
  const { signal, site } = siteOfMemory();
  const long = 'y'.repeat(3000);
  for (let i = 0; i < 100; i++) await audited(site, demo, `${long} ${i}`, signal, async () => {});
  const kept = (await readAudit(site.provider.record(demo))).map((e) =>
    Number(e.action.split(' ')[1]),
  );
  expect(kept.length).toBeGreaterThan(70);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => i + 100 - kept.length));
});
