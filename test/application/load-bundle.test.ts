import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as api from '../../src/api/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fctl-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const loader = fileURLToPath(new URL('../../src/application/load-bundle.ts', import.meta.url));

/**
 * Loads a bundle in a thread without any test tool around it, as the runtime does.
 * @param provider source of a module that `provideModules` is called with.
 */
function load(source: string, provider?: string): Promise<unknown> {
  const file = join(folder, 'bundle.mjs');
  writeFileSync(file, source);
  const provided = pathToFileURL(join(folder, 'provider.mjs')).href;
  if (provider !== undefined) writeFileSync(join(folder, 'provider.mjs'), provider);
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(loader)}).then(async ({ loadBundle, provideModules }) => {
      if (${provider !== undefined}) provideModules(${JSON.stringify(provided)});
      const { exports, registry } = await loadBundle(${JSON.stringify(file)});
      parentPort.postMessage({
        exports: Object.keys(exports),
        jobs: [...registry.jobs.keys()],
        problems: registry.problems,
      });
    }).catch((error) => parentPort.postMessage(error.message));`;
  const worker = new Worker(code, { eval: true });
  return new Promise((resolve, reject) => {
    worker.once('message', (message: unknown) => {
      void worker.terminate();
      resolve(message);
    });
    worker.once('error', reject);
  });
}

describe('loadBundle', () => {
  it("gives a bundle the runtime's own modules, wherever it lies", async () => {
    const result = await load(`
      import { defineJob } from 'fctl';
      import { testJob } from 'fctl/testing';
      import { FileSink } from 'fctl';
      import { FileSink as same } from 'fctl/connectors/files';
      if (FileSink !== same) throw new Error('two copies');
      defineJob('one', () => {});
      defineJob('two', () => {});
      export const main = () => typeof testJob;`);
    expect(result).toEqual({ exports: ['main'], jobs: ['one', 'two'], problems: [] });
  });

  it('gives it what a provider exports instead, also when it is imported late', async () => {
    const provider = `
      export const FileSink = 'provided';
      export const defineJob = () => {};`;
    const result = await load(
      `
      import { FileSink, defineJob } from 'fctl';
      const late = await import('fctl/connectors/files');
      if (FileSink !== 'provided' || late.FileSink !== FileSink) throw new Error('two copies');
      const { testJob } = await import('fctl/testing');
      export const [main] = [() => typeof testJob];`,
      provider,
    );
    expect(result).toEqual({ exports: ['main'], jobs: [], problems: [] });
  });

  it.each(['collect', 'collection', 'discard', 'files', 'generator', 'print'])(
    "finds all of 'fctl/connectors/%s' in 'fctl', which is all that a slot's thread provides",
    async (name) => {
      const url = new URL(`../../src/connectors/${name}/index.ts`, import.meta.url).href;
      const connector = (await import(url)) as object;
      expect(Object.keys(connector)).not.toEqual([]);
      expect(api).toMatchObject(connector);
    },
  );

  it('reports two jobs of one name', async () => {
    const result = await load(
      "import { defineJob } from 'fctl'; defineJob('a', () => {}); defineJob('a', () => {});",
    );
    expect(result).toMatchObject({ problems: [expect.stringContaining("'a'")] });
  });

  it('names a module that this version does not have', async () => {
    expect(await load("import 'fctl/connectors/nothing';")).toMatch(
      /imports 'fctl\/connectors\/nothing', which this version of fctl does not have/,
    );
  });

  it('passes on what the bundle throws', async () => {
    expect(await load("throw new Error('at the top level');")).toBe('at the top level');
  });
});
