/** The package as a user gets it: packed, installed into an empty folder, without this repository. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientEntryPoints, entryPoints } from '../../tools/entry-points.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The packed files, as `npm pack --json` lists them. */
let packed: string[];
let folder: string;

const inFolder = async (command: string, ...args: readonly string[]) =>
  (await run(command, args, { cwd: folder })).stdout;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fctl-package-'));
  const pack = ['pack', '--json', '--silent', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: root });
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  packed = files.map(({ path }: { path: string }) => path);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await inFolder('npm', 'install', '--silent', '--no-audit', '--no-fund', `./${filename}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the package', () => {
  it('holds the launcher, the bundle, the declarations and the templates', () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'bin/fctl.js',
        ...Object.keys(entryPoints).map((name) => `dist/${name}.js`),
        'dist/types/api/index.d.ts',
        'package.json',
      ]),
    );
    expect(packed.some((path) => path.startsWith('templates/'))).toBe(true);
    const folders = packed.map((path) => path.split('/')[0]!).filter((name) => !name.includes('.'));
    expect(new Set(folders)).toEqual(new Set(['LICENSE', 'bin', 'dist', 'templates']));
  });

  it('lists what processes of a cluster load, and has all of it', () => {
    const text = readFileSync(join(folder, 'node_modules/fctl/dist/runtime.json'), 'utf8');
    const listed = new Set(Object.keys(JSON.parse(text)));
    expect(packed).toEqual(expect.arrayContaining([...listed].map((path) => `dist/${path}`)));
    const processes = Object.keys(entryPoints).filter((name) => !clientEntryPoints.includes(name));
    expect([...listed]).toEqual(expect.arrayContaining(processes.map((name) => `${name}.js`)));
    for (const name of clientEntryPoints) expect(listed).not.toContain(`${name}.js`);
    for (const path of listed) {
      const script = readFileSync(join(folder, 'node_modules/fctl/dist', path), 'utf8');
      for (const [, imported] of script.matchAll(/(?:from|import\()\s*"(\.[^"]+\.js)"/g)) {
        expect(listed).toContain(join(dirname(path), imported!));
      }
    }
  });

  it('brings esbuild and nothing else', () => {
    const installed = readdirSync(join(folder, 'node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    expect(installed.sort()).toEqual(['@esbuild', 'esbuild', 'fctl']);
    expect(existsSync(join(folder, 'node_modules/.bin/node'))).toBe(false);
  });

  it('runs', async () => {
    const help = await inFolder(process.execPath, 'node_modules/.bin/fctl', '--help');
    expect(help).toMatch(/Usage: fctl/);
    expect(help).toMatch(/deploy/);
  });

  it('makes a project whose test passes, deploys it and removes the cluster', async () => {
    const fctl = join(folder, 'node_modules/.bin/fctl');
    await inFolder(process.execPath, fctl, 'init', 'my-job');
    const project = join(folder, 'my-job');
    const env = { ...process.env, FCTL_HOME: join(folder, 'home') };
    const inProject = async (...args: readonly string[]) =>
      (await run(process.execPath, args, { cwd: project, env })).stdout;
    try {
      expect(await inProject('--test', '--test-reporter=tap')).toMatch(/^# pass 1$/m);
      expect(await inProject(fctl, 'deploy')).toMatch(/^SUCCEEDED after /);
      expect(readdirSync(join(project, 'out')).sort()).toEqual(['part-0.csv', 'part-1.csv']);
    } finally {
      await inProject(fctl, 'destroy', '--yes');
    }
    expect(await inProject(fctl, 'list')).toMatch(/^No clusters /);
  });

  it('can be imported by its names', async () => {
    const script = `
      import { defineJob, types } from 'fctl';
      import { defineConfig } from 'fctl/config';
      import * as testing from 'fctl/testing';
      import { FileSource } from 'fctl';
      import { FileSource as same } from 'fctl/connectors/files';
      if (FileSource !== same) throw new Error('two copies');
      const args = types.record({ input: types.string });
      const job = defineJob('words', { args }, () => {});
      console.log(job.name, typeof defineConfig, Object.keys(testing).length > 0);
    `;
    writeFileSync(join(folder, 'script.js'), script);
    expect(await inFolder(process.execPath, 'script.js')).toBe('words function true\n');
  });

  it('declares its types', async () => {
    const script = `
      import { CollectionSource, defineJob, types } from 'fctl';
      import { defineConfig } from 'fctl/config';
      import { PrintSink } from 'fctl/connectors/print';
      const args = types.record({ input: types.string });
      export const job = defineJob('words', { args }, (env, { input }) => {
        env
          .fromSource(CollectionSource.of([input]))
          .map((word) => word.length)
          .sinkTo(PrintSink.create());
      });
      // @ts-expect-error a cluster is named by a string
      export const config = defineConfig({ cluster: 1 });
    `;
    writeFileSync(join(folder, 'script.ts'), script);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];
    const tsc = join(root, 'node_modules/.bin/tsc');
    expect(await inFolder(tsc, ...options, 'script.ts')).toBe('');
  });
});
