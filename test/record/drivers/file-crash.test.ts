/**
 * A document is written while each call to the file system in turn fails, stands still, or is the last one.
 * What was there before or what was written is there afterwards, whole; who was told that a write succeeded
 * was told the truth; and no version is given to two writers.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createFileStore } from '../../../src/record/drivers/file.ts';
import { Fault } from './faulty-files.ts';

const faults = await vi.hoisted(async () => {
  const { FaultyFiles } = await import('./faulty-files.ts');
  return new FaultyFiles();
});
vi.mock('node:fs/promises', async (importOriginal) => faults.wrap(await importOriginal()));
const { mkdtemp, readdir, rm, utimes } =
  await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fctl-record-crash-'));
});
afterAll(() => rm(base, { recursive: true, force: true }));
beforeEach(() => faults.clear());

const name = 'lock';
const open = (folder: string) => createFileStore(folder);

/** All versions but the newest were written long ago. */
async function age(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  const numberOf = (file: string) => Number(file.split('.')[1]);
  const newest = Math.max(...files.map(numberOf));
  const longAgo = Date.now() / 1000 - 3600;
  for (const file of files)
    if (numberOf(file) !== newest) await utimes(join(folder, file), longAgo, longAgo);
}

/** A record with as many versions of the document; the next write removes old ones from the sixth on. */
async function recordOf(count: number): Promise<string> {
  const folder = join(await mkdtemp(join(base, 'run-')), 'record');
  let version: string | null = null;
  for (let n = 1; n <= count; n++) version = await open(folder).write(name, { n }, version);
  if (count > 0) await age(folder);
  return folder;
}

async function current(folder: string) {
  const { value, version } = (await open(folder).read([name])).get(name) ?? {};
  return { n: (value as { n: number } | undefined)?.n ?? 0, version: version ?? null };
}

const settled = async (write: Promise<string | null>) =>
  write.then(
    (version) => ({ version, error: null }),
    (error: Error) => ({ version: null, error }),
  );

const killed = [Fault.killedBefore, Fault.killedAfter, Fault.powerCut];
const failing = [Fault.failed, Fault.failedAfterwards];

test.each([...killed, ...failing])('%s each call of a write', async (kind) => {
  const isKilled = killed.some((each) => each === kind);
  const hits: string[] = [];
  for (;;) {
    const folder = await recordOf(7);
    const before = await current(folder);
    await faults.lookAfter(folder);
    faults.set(kind, hits.length + 1);
    const result = await settled(open(folder).write(name, { n: 8 }, before.version));
    faults.clear();
    const { error } = result;
    const version = isKilled ? null : result.version; // a dead process is told nothing
    if (faults.hit === null) break;
    const what = `${kind} ${faults.hit}, call ${hits.push(faults.hit)}`;

    const after = await current(folder);
    if (version === null) expect([7, 8], what).toContain(after.n);
    else expect(after, what).toEqual({ n: 8, version });
    if (after.n === 7) expect(after.version, what).toBe(before.version);
    if (!isKilled) {
      // Nothing that fails once it is published is told (D4).
      if (after.n === 8) expect({ error, version }, what).toEqual({ error: null, version: '8' });
      expect(
        (await readdir(folder)).filter((file) => file.endsWith('.tmp')).length,
        what,
      ).toBeLessThan(2);
    }
    // Whoever comes next goes on.
    const next = await open(folder).write(name, { n: after.n + 1 }, after.version);
    expect(next, what).not.toBeNull();
    expect(await open(folder).write(name, { n: 0 }, after.version), what).toBeNull();
    expect(await current(folder), what).toEqual({ n: after.n + 1, version: next });
  }
  expect(hits).toContain('link');
  expect(hits.length).toBeGreaterThan(15);
});

test('what a writer was told is there after a power cut, be it the first document or the tenth', async () => {
  for (const count of [0, 1, 9]) {
    const folder = await recordOf(count);
    const { version } = await current(folder);
    if (count > 0) await faults.lookAfter(folder);
    const written = await open(folder).write(name, { n: count + 1 }, version);
    if (count === 0) await faults.lookAfter(folder);
    faults.set(Fault.powerCut, 1);
    await settled(open(folder).write(name, { n: 99 }, written));
    faults.clear();
    expect(await current(folder)).toEqual({ n: count + 1, version: written });
  }
});

/** Others write `count` versions, each on top of what it finds. @returns those versions. */
async function others(folder: string, count: number): Promise<(string | null)[]> {
  const versions: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const found = await current(folder);
    versions.push(await open(folder).write(name, { n: 1000 + i }, found.version));
    await age(folder);
  }
  return versions;
}

test('a writer that stands still at any call, while others write, never gets a version of theirs', async () => {
  const hits = new Set<string>();
  for (let count = 1; count <= 10; count++) {
    for (let at = 1; ; at++) {
      const folder = await recordOf(2);
      const gate = Promise.withResolvers<void>();
      const reached = faults.stall(at, gate.promise);
      const write = settled(open(folder).write(name, { n: 3 }, '2'));
      const isStalled = await Promise.race([reached.then(() => true), write.then(() => false)]);
      faults.clear();
      if (!isStalled) break;
      const what = `stands still at ${faults.hit}, call ${at}, ${count} others`;
      hits.add(faults.hit!);
      const theirs = await others(folder, count);
      const newest = await current(folder);
      gate.resolve();
      const { error, version } = await write;
      expect(error, what).toBeNull();
      const all = [...theirs, ...(version === null ? [] : [version])];
      expect(theirs, what).not.toContain(null);
      expect(new Set(all).size, what).toBe(all.length);
      if (version === null) expect(await current(folder), what).toEqual(newest);
    }
  }
  expect([...hits]).toEqual(expect.arrayContaining(['open', 'write', 'readdir', 'link', 'unlink']));
});

test('a reader that stands still at any call sees what was there at one moment', async () => {
  for (let at = 1; ; at++) {
    const folder = await recordOf(6);
    await open(folder).write('endpoint', { n: 6 }, null);
    const gate = Promise.withResolvers<void>();
    const reached = faults.stall(at, gate.promise);
    const read = open(folder).read([name, 'endpoint']);
    const isStalled = await Promise.race([reached.then(() => true), read.then(() => false)]);
    faults.clear();
    if (!isStalled) break;
    // `endpoint` is always written after the lock: it is never ahead of it.
    for (let n = 7; n <= 12; n++) {
      for (const document of [name, 'endpoint']) {
        const { version } = (await open(folder).read([document])).get(document)!;
        await open(folder).write(document, { n }, version);
      }
      await age(folder).catch(() => {});
    }
    gate.resolve();
    const found = await read;
    const [lock, endpoint] = [name, 'endpoint'].map(
      (each) => (found.get(each)!.value as { n: number }).n,
    );
    expect([lock, lock! - 1], `stands still at call ${at}`).toContain(endpoint);
  }
});
