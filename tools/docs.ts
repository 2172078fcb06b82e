/**
 * Writes `docs/configuration.md`, `docs/cli.md`, `docs/rest.md` and `docs/metrics.md` from the schema, the command
 * tree, the table of Flink's endpoints and that of metrics, and the type of a config file from the schema.
 * With `--check` it writes nothing and fails when they are stale.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Page → the module that makes it. */
const pages = {
  'docs/configuration.md': { module: 'src/config/reference.ts', name: 'configurationReference' },
  'docs/cli.md': { module: 'src/cli/reference.ts', name: 'cliReference' },
  'docs/rest.md': { module: 'tools/rest-reference.ts', name: 'restReference' },
  'docs/metrics.md': { module: 'tools/metrics-reference.ts', name: 'metricsReference' },
  'src/config/fctl-config.ts': { module: 'tools/config-types.ts', name: 'configTypes' },
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
  const file = join(root, page);
  if (!check) await writeFile(file, wanted);
  else if ((await readFile(file, 'utf8').catch(() => null)) !== wanted) {
    console.error(`${page} is stale: npm run docs`);
    process.exitCode = 1;
  }
}
