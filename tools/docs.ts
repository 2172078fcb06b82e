/**
 * Writes `docs/configuration.md`, `docs/cli.md` and `docs/rest.md` from the schema, the command tree and
 * the table of Flink's endpoints.
 * With `--check` it writes nothing and fails when they are stale.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Page → the module that makes it. */
const pages = {
  'configuration.md': { module: 'src/config/reference.ts', name: 'configurationReference' },
  'cli.md': { module: 'src/cli/reference.ts', name: 'cliReference' },
  'rest.md': { module: 'tools/rest-reference.ts', name: 'restReference' },
};

const check = process.argv.includes('--check');
if (!check) await mkdir(join(root, 'docs'), { recursive: true });
for (const [page, { module, name }] of Object.entries(pages)) {
  if (!existsSync(join(root, module))) {
    console.warn(`docs: no ${page}, ${module} is missing`);
    continue;
  }
  const generator = await import(join(root, module));
  const wanted: string = await generator[name]();
  const file = join(root, 'docs', page);
  if (!check) await writeFile(file, wanted);
  else if ((await readFile(file, 'utf8').catch(() => null)) !== wanted) {
    console.error(`docs/${page} is stale: npm run docs`);
    process.exitCode = 1;
  }
}
