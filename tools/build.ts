/**
 * Builds `dist/`: one esbuild run for all entry points, so that what they share is shared (an application's
 * `import 'fctl'` and the runtime's own classes are the same). Everything but esbuild is bundled.
 *
 * The new `dist/` takes the place of the old one by a rename: whoever reads it sees either of them.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const target = join(root, 'dist');

/** Name in `dist/` → source. */
const entryPoints = {
  cli: 'src/cli/main.ts',
  inspect: 'src/packaging/inspect-main.ts',
  jobmanager: 'src/runtime/jobmanager/main.ts',
  application: 'src/runtime/jobmanager/application-main.ts',
  taskmanager: 'src/runtime/taskmanager/main.ts',
  slot: 'src/runtime/taskmanager/slot-main.ts',
  index: 'src/api/index.ts',
  config: 'src/config/index.ts',
  testing: 'src/testing/index.ts',
};

/** CommonJS packages in the bundle require Node's own modules. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

const folder = await mkdtemp(join(root, '.dist-'));
try {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    chunkNames: 'chunks/[name]-[hash]',
    // msgpackr-extract is an optional accelerator in native code; msgpackr works without it.
    external: ['esbuild', 'msgpackr-extract'],
    banner: { js: banner },
    logLevel: 'warning',
  });
  const old = `${folder}-old`;
  if (existsSync(target)) await rename(target, old);
  await rename(folder, target);
  await rm(old, { recursive: true, force: true });
} finally {
  await rm(folder, { recursive: true, force: true });
}
