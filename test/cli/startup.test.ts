/** What a call loads before it does anything: bench/cli.ts measures what that costs. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/fctl.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-startup-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The modules that a call has loaded, as esbuild notes them in its chunks. */
async function loadedBy(...args: string[]): Promise<readonly string[]> {
  const coverage = join(folder, args.join(' '));
  const env = { NODE_V8_COVERAGE: coverage, FCTL_HOME: join(folder, 'home') };
  await execa(process.execPath, [launcher, ...args], { cwd: folder, env });
  const reports = await Promise.all(
    (await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8')),
  );
  const urls = reports.flatMap((report) =>
    (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.flatMap((text) =>
    [...text.matchAll(/^\/\/ (\S+\.[cm]?[jt]s)$/gm)].map(([, m]) => m!),
  );
}

const heavy = /node_modules\/(zod|cosmiconfig|esbuild|ssh2|dockerode|ora|execa|ws|yaml)\//;

test.each([['--help'], ['list']])('fctl %s loads no heavy library', async (...args) => {
  const loaded = await loadedBy(...args);
  expect(loaded).toContain('src/cli/main.ts');
  expect(loaded.filter((module) => heavy.test(module))).toEqual([]);
});

test('a config needs those that read it', async () => {
  const loaded = await loadedBy('config', 'schema');
  expect(loaded.some((module) => module.includes('node_modules/zod/'))).toBe(true);
});
