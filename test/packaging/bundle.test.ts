/** An application's bundle: its name says its content, and nothing of where it was made. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/contract/errors.ts';
import { bundleApplication } from '../../src/packaging/bundle.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-packaging-'));
});
afterEach(() => rm(root, { recursive: true }));

const app = `import { defineJob } from 'fctl';
import { double } from './lib/double.ts';
import { half } from 'halves';
export const job = defineJob('demo', () => { double(half(1)); throw new Error('x'); });
`;
const files = {
  'src/app.ts': app,
  'src/lib/double.ts': 'export const double = (n: number): number => n * 2;\n',
  'node_modules/halves/package.json':
    '{ "name": "halves", "version": "1.0.0", "main": "index.js" }',
  'node_modules/halves/index.js': 'exports.half = (n) => n / 2;\n',
};

async function bundle(folder: string, changed: Readonly<Record<string, string>> = {}) {
  const projectDir = join(root, folder);
  for (const [path, content] of Object.entries({ ...files, ...changed })) {
    await mkdir(dirname(join(projectDir, path)), { recursive: true });
    await writeFile(join(projectDir, path), content);
  }
  const entry = join(projectDir, 'src/app.ts');
  return bundleApplication({ entry, projectDir, cacheDir: join(root, 'cache', folder) });
}

it('has the same bytes wherever it is made', async () => {
  const here = await bundle('here');
  const there = await bundle('some/other folder/deep');
  expect(there.hash).toBe(here.hash);
  const text = await readFile(there.file, 'utf8');
  expect(text).toBe(await readFile(here.file, 'utf8'));
  expect(text).not.toContain(root);
  const map = /sourceMappingURL=data:application\/json;base64,(.+)/.exec(text)![1]!;
  expect(Buffer.from(map, 'base64').toString()).not.toContain(root);
});

it('has another name when anything of its content changes', async () => {
  const hashes = await Promise.all([
    bundle('a').then((b) => b.hash),
    bundle('b', { 'src/lib/double.ts': files['src/lib/double.ts'].replace('2', '3') }).then(
      (b) => b.hash,
    ),
    bundle('c', { 'node_modules/halves/index.js': 'exports.half = (n) => n / 4;\n' }).then(
      (b) => b.hash,
    ),
  ]);
  expect(new Set(hashes).size).toBe(3);
});

it('refuses a dependency with a native module, naming it', async () => {
  const error = await bundle('native', {
    'node_modules/halves/index.js': "module.exports = require('./build/Release/halves.node');\n",
    'node_modules/halves/build/Release/halves.node': 'native',
  }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = (error as ConfigError).problems[0]!;
  expect(message).toContain('native');
  expect(message).toContain('halves');
});

it.each([
  ['is-odd-not-there', "'npm install is-odd-not-there'"],
  ['@some/thing/below', "'npm install @some/thing'"],
  ['./gone.ts', 'the path is relative to the file that imports it'],
  ['@/lib/x', 'paths of tsconfig.json'],
])('says what to do about %s, which is not there', async (wanted, hint) => {
  const problem = { code: 'bundle-failed', hint: expect.stringContaining(hint) };
  const missing = bundle('missing', { 'src/app.ts': `import '${wanted}';\n${app}` });
  await expect(missing).rejects.toMatchObject({ problems: [problem] });
});

it('tells where the code is wrong', async () => {
  const error = await bundle('wrong', { 'src/lib/double.ts': 'export const double = (;\n' }).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems[0]).toMatchObject({ line: 1 });
  expect((error as ConfigError).problems[0]!.file).toContain('src/lib/double.ts');
});

describe('files beside a module', () => {
  const reads = (how: string) => `#!/usr/bin/env -S fctl
import { readFileSync } from 'node:fs';
export const table = () => readFileSync(${how}, 'utf8');`;

  it.each([
    ["new URL('table.json', import.meta.url)", '/src/table.json'],
    ["import.meta.dirname + '/table.json'", '/src/table.json'],
    ['import.meta.filename', '/src/app.ts'],
  ])('are not there for %s, and the path says so', async (how, path) => {
    const { file } = await bundle('here', { 'src/table.json': '{}', 'src/app.ts': reads(how) });
    const { table } = (await import(file)) as { table: () => string };
    expect(table).toThrow(`/files-beside-modules-are-not-shipped${path}`);
  });

  it('of a package begin at node_modules, wherever that is', async () => {
    const { file } = await bundle('deep/project', {
      'node_modules/with-data/package.json': '{ "type": "module", "main": "index.js" }',
      'node_modules/with-data/index.js': 'export const place = import.meta.url;',
      'src/app.ts': "export { place } from 'with-data';",
    });
    const { place } = (await import(file)) as { place: string };
    expect(place).toBe(
      'file:///files-beside-modules-are-not-shipped/node_modules/with-data/index.js',
    );
  });
});
