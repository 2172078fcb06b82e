/**
 * Builds `dist/`: one esbuild run for all entry points, so that what they share is shared (the classes an
 * application imports as `fctl` are those of the runtime). Everything but esbuild is bundled.
 *
 * B1  Whoever reads `dist/` while it is built sees, for each entry point, the old or the new one with all
 *     its chunks: chunks are named by their content and written first, each file takes its place by a
 *     rename, and chunks that are no longer used stay for a while, as running processes may load them.
 *
 * `--prune` removes what is no longer used at once, for a package.
 */
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type OutputFile, build } from 'esbuild';
import { entryPoints } from './entry-points.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const chunks = join(dist, 'chunks');
/** On the file system of `dist/`, so that a rename is enough. */
const cache = join(root, 'node_modules/.cache/fctl');

/** CommonJS packages in the bundle require Node's own modules. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

/** How long a file outlives the last build that made it. */
const keepUnusedMs = process.argv.includes('--prune') ? 0 : 3_600_000;

async function bundle(): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    write: false,
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
  return outputFiles;
}

/** Puts a file in its place at once. The same bytes stay, as made now. */
async function place({ path, contents }: OutputFile, staging: string): Promise<void> {
  const old = await readFile(path).catch(() => null);
  if (old?.equals(contents)) return utimes(path, new Date(), new Date());
  const staged = join(staging, basename(path));
  await writeFile(staged, contents);
  await rename(staged, path);
}

/** Writes chunks before the entry points that import them (B1). */
async function write(files: readonly OutputFile[]): Promise<void> {
  const isChunk = ({ path }: OutputFile) => dirname(path) === chunks;
  const folders = new Set(files.map(({ path }) => dirname(path)));
  await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })));
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'build-'));
  try {
    await Promise.all(files.filter(isChunk).map((file) => place(file, staging)));
    await Promise.all(files.filter((file) => !isChunk(file)).map((file) => place(file, staging)));
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Removes files that neither this build nor one shortly before it made (B1). */
async function removeUnused(folder: string, made: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isFile() || made.has(path)) continue;
    // Another build may be faster.
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs >= keepUnusedMs) await rm(path, { force: true });
  }
}

const files = await bundle();
await write(files);
const made = new Set(files.map(({ path }) => path));
await removeUnused(chunks, made);
await removeUnused(dist, made);
await removeUnused(join(dist, 'connectors'), made);
