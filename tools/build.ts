/**
 * Builds `dist/`: one esbuild run for all entry points, so that what they share is shared (the classes an
 * application imports as `fctl` are those of the runtime). Everything but esbuild is bundled.
 *
 * B1  Whoever reads `dist/` while it is built sees, for each entry point, the old or the new one with all
 *     its chunks: chunks are named by their content and written first, each file takes its place by a
 *     rename, and chunks that are no longer used stay for a while, as running processes may load them.
 * B2  `runtime.json`, written last, lists what processes of a cluster load, each with its hash: whoever
 *     packs a runtime notices a build in between.
 *
 * `--prune` removes what is no longer used at once, for a package. With FCTL_BUILT=1 in the environment
 * nothing is built: somebody did already, for all that follows.
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
import { basename, dirname, join, relative } from 'node:path';
import { type BuildOptions, type Metafile, type OutputFile, type Plugin, build } from 'esbuild';
import { sha256 } from '../src/contract/hash.ts';
import { clientEntryPoints, entryPoints, singleFiles } from './entry-points.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const chunks = join(dist, 'chunks');
/** On the file system of `dist/`, so that a rename is enough. */
const cache = join(root, 'node_modules/.cache/fctl');

/** CommonJS packages in the bundle require Node's own modules, and may ask where they are. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** How long a file outlives the last build that made it. */
const keepUnusedMs = process.argv.includes('--prune') ? 0 : 3_600_000;

/**
 * Parts that fctl never calls. Of dockerode and its transport: sessions of BuildKit over gRPC, and SSH, for
 * which the provider has its own connections. They would be three quarters of what is bundled for Docker.
 * Of commander: other programs as commands, for which each start would load how processes are started.
 */
const unusedParts: Plugin = {
  name: 'unused-parts',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\/(session|buildkit|ssh)$/ }, ({ importer, path }) =>
      /node_modules\/docker(ode|-modem)\//.test(importer) ? { path, namespace: 'unused' } : null,
    );
    esbuild.onResolve({ filter: /^node:child_process$/ }, ({ importer, path }) =>
      /node_modules\/commander\//.test(importer) ? { path, namespace: 'unused' } : null,
    );
    esbuild.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = null;',
    }));
  },
};

type BuiltFile = Pick<OutputFile, 'path' | 'contents'>;

/** What all scripts have in common. */
const common = {
  absWorkingDir: root,
  outdir: dist,
  write: false,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  // Optional accelerators in native code; msgpackr and ssh2 work without them.
  external: [
    'esbuild',
    'vitest',
    'msgpackr-extract',
    'cpu-features',
    '*/sshcrypto.node',
  ] as string[],
  banner: { js: banner },
  logLevel: 'warning',
} satisfies BuildOptions;

async function bundle() {
  return build({
    ...common,
    entryPoints,
    splitting: true,
    metafile: true,
    chunkNames: 'chunks/[name]-[hash]',
    plugins: [unusedParts],
  });
}

/** The scripts that processes of a cluster load, without source maps (B2). */
function runtimeList(outputFiles: readonly OutputFile[], { outputs }: Metafile): BuiltFile {
  const pathOf = (name: string) => relative(root, join(dist, `${name}.js`));
  const names = Object.keys({ ...entryPoints, ...singleFiles });
  const reachable = new Set(names.filter((name) => !clientEntryPoints.includes(name)).map(pathOf));
  for (const path of reachable) {
    for (const { external, path: imported } of outputs[path]?.imports ?? []) {
      if (!external) reachable.add(imported);
    }
  }
  const listed = outputFiles
    .filter(({ path }) => reachable.has(relative(root, path)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const hashes = listed.map(({ contents, path }) => [relative(dist, path), sha256(contents)]);
  const text = JSON.stringify(Object.fromEntries(hashes), null, 2);
  return { path: join(dist, 'runtime.json'), contents: Buffer.from(`${text}\n`) };
}

/** Puts a file in its place at once. The same bytes stay, as made now. */
async function place({ path, contents }: BuiltFile, staging: string): Promise<void> {
  const old = await readFile(path).catch(() => null);
  if (old?.equals(contents)) return utimes(path, new Date(), new Date());
  const staged = join(staging, basename(path));
  await writeFile(staged, contents);
  await rename(staged, path);
}

/** Writes chunks before the entry points that import them (B1), and the list last (B2). */
async function write(files: readonly BuiltFile[], list: BuiltFile): Promise<void> {
  const isChunk = ({ path }: BuiltFile) => dirname(path) === chunks;
  const folders = new Set(files.map(({ path }) => dirname(path)));
  await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })));
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'build-'));
  try {
    await Promise.all(files.filter(isChunk).map((file) => place(file, staging)));
    await Promise.all(files.filter((file) => !isChunk(file)).map((file) => place(file, staging)));
    await place(list, staging);
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

// Whoever builds once for many lanes says so to the scripts that build for themselves.
if (process.env['FCTL_BUILT'] === '1') process.exit(0);

const { outputFiles, metafile } = await bundle();
const single = await build({ ...common, entryPoints: singleFiles });
outputFiles.push(...single.outputFiles);
const list = runtimeList(outputFiles, metafile);
await write(outputFiles, list);
const made = new Set([...outputFiles, list].map(({ path }) => path));
await removeUnused(chunks, made);
await removeUnused(dist, made);
await removeUnused(join(dist, 'connectors'), made);
