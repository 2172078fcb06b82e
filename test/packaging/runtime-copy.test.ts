/** The runtime as files: named by its content, and never half of it. */
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FCTL_VERSION } from '../../src/contract/version.ts';
import { type RuntimeCopy, runtimeCopy } from '../../src/packaging/runtime-copy.ts';
import { type Installation, install, scripts } from './installation.ts';

const { signal } = new AbortController();
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-copy-'));
});
afterEach(() => rm(root, { recursive: true }));

async function copyOf(name: string, installation: Installation = {}): Promise<RuntimeCopy> {
  const { runtimeDir, templatesDir } = await install(join(root, name), installation);
  return runtimeCopy(runtimeDir, templatesDir);
}

it('is what processes load, and nothing else', async () => {
  const copy = await copyOf('a', { others: { 'cli.js': '', 'jobmanager.js.map': '{}' } });
  const folder = join(root, 'copy');
  await copy.writeTo(folder, signal);
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((f) => join(f.parentPath, f.name));
  const contents = files.map(async (f) => [f.slice(folder.length + 1), await readFile(f, 'utf8')]);
  expect(Object.fromEntries(await Promise.all(contents))).toEqual({
    ...Object.fromEntries(Object.entries(scripts).map(([path, text]) => [`dist/${path}`, text])),
    'package.json': `{"name":"fctl","version":"${FCTL_VERSION}","type":"module"}\n`,
    'templates/supervise.sh': '#!/bin/sh\n',
  });
});

it('has the same name wherever fctl is installed, and another one for other content', async () => {
  const hashes = await Promise.all([
    copyOf('a'),
    copyOf('b', { mtime: 1.1e9, others: { 'cli.js': 'another' }, node: 'another' }),
    copyOf('c', { supervisor: '#!/bin/sh\nanother\n' }),
    copyOf('d', { scripts: { ...scripts, 'chunks/a.js': 'export const a = 2;\n' } }),
    copyOf('e', { scripts: { ...scripts, 'chunks/c.js': '' } }),
  ]).then((copies) => copies.map(({ hash }) => hash));
  expect(hashes[1]).toBe(hashes[0]);
  expect(new Set(hashes).size).toBe(4);
});

it.each([
  ['whole', async () => {}, true],
  ['without a script', (folder: string) => rm(join(folder, 'dist/chunks/b.js')), false],
  [
    'with a script cut off',
    (folder: string) => truncate(join(folder, 'dist/jobmanager.js')),
    false,
  ],
  ['without its supervisor', (folder: string) => rm(join(folder, 'templates/supervise.sh')), false],
  ['not there', (folder: string) => rm(folder, { recursive: true }), false],
] as const)('tells a copy that is %s', async (_name, change, isWhole) => {
  const copy = await copyOf('a');
  const folder = join(root, 'copy');
  await copy.writeTo(folder, signal);
  await change(folder);
  expect(await copy.isWhole(folder)).toBe(isWhole);
});

it.each([
  ['removed', (file: string) => rm(file), 'chunks/a.js is missing'],
  ['replaced', (file: string) => writeFile(file, 'of the next version'), 'not what was built'],
])('is refused when a script was %s meanwhile', async (_name, change, message) => {
  const copy = await copyOf('a');
  await change(join(root, 'a/dist/chunks/a.js'));
  const written = copy.writeTo(join(root, 'copy'), signal);
  await expect(written).rejects.toMatchObject({ problems: [{ code: 'runtime-missing' }] });
  await expect(written).rejects.toThrow(message);
});
