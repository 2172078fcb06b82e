/** Uploads to a real REST server, over connections that are really cut. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { hasBlob, uploadBlob } from '../../src/application/blob-upload.ts';
import { createBlobStore } from '../../src/runtime/jobmanager/dispatcher/blob-store.ts';
import { fakeView } from '../runtime/rest/fake-view.ts';
import { serve, token } from '../runtime/rest/server.ts';
import { tcpProxy } from './tcp-proxy.ts';

const MiB = 1024 * 1024;
/** For the heads of requests. */
const headBytes = 2000;

async function setUp(sizeBytes = 8 * MiB) {
  const directory = await mkdtemp(join(tmpdir(), 'fctl-upload-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const store = join(directory, 'blobs');
  const start = () => {
    const blobs = createBlobStore({ directory: store, placed: new Map() });
    return serve({ token, view: fakeView('empty', { blobs }) });
  };
  const { port, close } = await start();
  const proxy = await tcpProxy(port);
  const content = randomBytes(sizeBytes);
  const file = join(directory, 'file');
  await writeFile(file, content);
  const hash = createHash('sha256').update(content).digest('hex');
  const target = { restUrl: proxy.url, token };
  const passed = () => proxy.passed.reduce((a, b) => a + b, 0);
  const has = () => hasBlob(new Agent(), target, hash);
  const expectStored = async () => {
    expect(await has()).toBe(true);
    expect((await readFile(join(store, hash))).equals(content)).toBe(true);
  };
  return { close, content, expectStored, file, has, hash, passed, proxy, start, store, target };
}

test('what is there is not sent: the second upload is a few bytes on the wire', async () => {
  const { expectStored, file, has, hash, passed, target } = await setUp();
  expect(await has()).toBe(false);
  const seen: number[] = [];
  const onProgress = (done: number, total: number) => seen.push(done / total);
  expect(await uploadBlob(target, { hash, file, onProgress })).toBe(8 * MiB);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  await expectStored();
  const first = passed();
  expect(first).toBeGreaterThan(8 * MiB);
  expect(await uploadBlob(target, { hash, file })).toBe(null);
  expect(passed() - first).toBeLessThan(headBytes);
});

test('an upload whose connection is cut goes on where it was, again and again', async () => {
  const { expectStored, file, hash, passed, proxy, target } = await setUp();
  proxy.cutAfter(3 * MiB, 2 * MiB, 1 * MiB);
  await uploadBlob(target, { hash, file });
  await expectStored();
  expect(proxy.passed.slice(0, 3)).toEqual([3 * MiB, 2 * MiB, 1 * MiB]);
  // What the server had not taken in when a connection went is sent twice.
  expect(passed()).toBeLessThan(8 * MiB + 3 * 256 * 1024);
});

test('an upload that was ended goes on with the next one, also after the server was started again', async () => {
  const { close, content, file, hash, proxy, start, store, target } = await setUp();
  proxy.stallAfter(3 * MiB);
  const stop = new AbortController();
  const upload = uploadBlob(target, { hash, file, signal: stop.signal });
  const part = join(store, `.${hash}.part`);
  await expect
    .poll(() =>
      readFile(part).then(
        (p) => p.length,
        () => 0,
      ),
    )
    .toBeGreaterThan(2.9 * MiB);
  stop.abort(new Error('enough'));
  await expect(upload).rejects.toThrow('enough');
  await close();
  const { length } = await readFile(part);
  const { url } = await start();
  const sent = await uploadBlob({ restUrl: url, token }, { hash, file });
  expect(sent).toBe(8 * MiB - length);
  expect((await readFile(join(store, hash))).equals(content)).toBe(true);
});

test('a connection that is gone without having said so is given up for a newer one', async () => {
  const { expectStored, file, hash, proxy, target } = await setUp();
  proxy.stallAfter(3 * MiB);
  const stop = new AbortController();
  const lost = uploadBlob(target, { hash, file, signal: stop.signal }).catch(() => {});
  await expect.poll(() => proxy.passed[0]).toBe(3 * MiB);
  expect(await uploadBlob(target, { hash, file })).toBeLessThan(6 * MiB);
  await expectStored();
  stop.abort();
  await lost; // ended, or it has noticed that all is there
});

test('of two that upload the same at once one sends, the other takes what comes', async () => {
  const { expectStored, file, hash, passed, target } = await setUp(32 * MiB);
  await Promise.all([uploadBlob(target, { hash, file }), uploadBlob(target, { hash, file })]);
  await expectStored();
  expect(passed()).toBeLessThan(48 * MiB);
});

test('a beginning that is not what it should be is sent once more', async () => {
  const { expectStored, file, hash, store, target } = await setUp();
  const blobs = createBlobStore({ directory: store, placed: new Map() });
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(3 * MiB);
      throw new Error('cut');
    })(),
  );
  await expect(blobs.put(hash, broken)).rejects.toThrow('cut');
  expect(await uploadBlob(target, { hash, file })).toBe(13 * MiB);
  await expectStored();
});

test.each([0, 1, 65_536])('a file of %i bytes is one', async (size) => {
  const { expectStored, file, hash, target } = await setUp(size);
  expect(await uploadBlob(target, { hash, file })).toBe(size);
  await expectStored();
});

test('what cannot be mended is not tried again', async () => {
  const { file, has, hash, proxy, target } = await setUp();
  await expect(uploadBlob(target, { hash: 'a'.repeat(64), file })).rejects.toThrow(
    'The content does not have this hash.',
  );
  await expect(uploadBlob({ ...target, token: null }, { hash, file })).rejects.toThrow('401');
  await expect(uploadBlob(target, { hash, file: `${file}.gone` })).rejects.toThrow('ENOENT');
  const before = proxy.passed.length;
  await expect(uploadBlob(target, { hash, file: join(file, '..') })).rejects.toThrow('EISDIR');
  expect(proxy.passed.length).toBe(before + 1);
  expect(await has()).toBe(false);
});

test('a file that shrinks while it is sent is told', async () => {
  const { file, has, hash, target } = await setUp(64 * MiB);
  const onProgress = () => void truncate(file, 1000);
  await expect(uploadBlob(target, { hash, file, onProgress })).rejects.toThrow(
    'changed while it was uploaded',
  );
  expect(await has()).toBe(false);
});

test('a server that is not there is given up after a while', async () => {
  const { close, file, hash, target } = await setUp();
  await close();
  await expect(uploadBlob(target, { hash, file })).rejects.toThrow(/does not answer/);
});

test('the beginning of an upload that nobody went on with is removed after a day', async () => {
  const { file, hash, proxy, store, target } = await setUp();
  const old = join(store, `.${'b'.repeat(64)}.part`);
  const young = join(store, `.${'c'.repeat(64)}.part`);
  proxy.cutAfter(1 * MiB);
  await uploadBlob(target, { hash, file }); // makes the folder
  for (const part of [old, young]) await writeFile(part, 'x');
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await utimes(old, yesterday, yesterday);
  const other = randomBytes(10);
  await writeFile(file, other);
  const otherHash = createHash('sha256').update(other).digest('hex');
  await uploadBlob(target, { hash: otherHash, file });
  await expect(readFile(old)).rejects.toThrow('ENOENT');
  await expect(readFile(young, 'utf8')).resolves.toBe('x');
});
