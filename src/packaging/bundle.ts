/**
 * An application as it is shipped: one ES module made by esbuild, its source map inline (paths relative
 * to the project, no contents), `fctl` and `fctl/*` external, named by the SHA-256 of its bytes.
 *
 * B1  The bytes depend on neither the machine nor the folder: no absolute path, and paths of npm packages
 *     begin at `node_modules`, wherever that lies.
 * B2  A bundle is written once: its name is its hash.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import type { BuildResult, Message, OutputFile, Plugin } from 'esbuild';
import { placesInModules } from '../config/module-place.ts';
import { BUNDLE_HEADER, NOT_SHIPPED } from '../contract/bundle.ts';
import { ConfigError, type Problem, ProviderError, problem } from '../contract/errors.ts';
import { sha256 } from '../contract/hash.ts';
import { removeUnusedBundles } from './kept-bundles.ts';
import { findNativePackages } from './native-modules.ts';

export interface ApplicationBundle {
  /** Lowercase hex SHA-256 of the file's bytes. */
  readonly hash: string;
  /** Where the file lies on the client. */
  readonly file: string;
  readonly sizeBytes: number;
}

export interface BundleOptions {
  /** Absolute path of the application's entry file. */
  readonly entry: string;
  /** Absolute path of the folder of the config file. */
  readonly projectDir: string;
  /** Where bundles are kept on the client. */
  readonly cacheDir: string;
}

/**
 * Bundles an application.
 * @throws ConfigError with every problem esbuild found, each with its place in the user's files, and for
 *   npm packages with native modules. ProviderError when it cannot be written.
 */
export async function bundleApplication(options: BundleOptions): Promise<ApplicationBundle> {
  const { build } = await import('esbuild');
  const { entry, projectDir, cacheDir } = options;
  const places = placesInModules((path) => shippedPlace(relative(projectDir, path)));
  const result = await build({
    absWorkingDir: projectDir,
    entryPoints: [entry],
    outfile: join(projectDir, 'application.mjs'),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['fctl', 'fctl/*'],
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    banner: { js: banner },
    define: places.define,
    plugins: [nativeModules, ...places.plugins],
  }).catch((error: BuildResult) => {
    if (!Array.isArray(error.errors)) throw error;
    throw new ConfigError(error.errors.map((message) => toProblem(message, projectDir)));
  });
  refuseNativePackages(Object.keys(result.metafile.inputs), projectDir);
  const bytes = assemble(result.outputFiles, Object.keys(result.metafile.inputs));
  const hash = sha256(bytes);
  const file = join(cacheDir, `${hash}.mjs`);
  await keep(file, bytes);
  return { hash, file, sizeBytes: bytes.length };
}

async function keep(file: string, bytes: Buffer): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, bytes, { mode: 0o600 }); // It may hold what its author compiles in.
    await rename(temporary, file); // B2
    await removeUnusedBundles(dirname(file), Date.now());
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new ProviderError(
      problem({
        code: 'cache-not-writable',
        message: `the application's bundle cannot be written: ${(error as Error).message}`,
        hint: 'set XDG_CACHE_HOME to a folder that you may write, on a disk that is not full',
      }),
      { cause: error },
    );
  }
}

/** CommonJS packages in the bundle may `require` Node's own modules. */
const banner = [
  BUNDLE_HEADER,
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

const nativeModules: Plugin = {
  name: 'native-modules',
  setup(build) {
    build.onLoad({ filter: /\.node$/ }, ({ path }) => ({
      errors: [
        {
          text: `${path} is a native module, which cannot be shipped in an application bundle`,
          notes: [{ text: 'use a package in plain JavaScript or WebAssembly instead' }],
        },
      ],
    }));
  },
};

function refuseNativePackages(inputs: readonly string[], projectDir: string): void {
  const native = findNativePackages(inputs, projectDir);
  if (native.length === 0) return;
  throw new ConfigError(
    native.map((name) =>
      problem({
        code: 'native-module',
        message: `the application uses the npm package '${name}', which has a native module: it cannot be shipped in an application bundle`,
        path: '/application/entry',
        hint: 'use a package in plain JavaScript or WebAssembly instead',
      }),
    ),
  );
}

function toProblem(message: Message, projectDir: string): Problem {
  const { location, notes, text } = message;
  return problem({
    code: 'bundle-failed',
    message: text,
    path: '/application/entry',
    file: location ? resolve(projectDir, location.file) : null,
    line: location?.line ?? null,
    column: location ? location.column + 1 : null,
    hint: missingPackage(text) ?? notes[0]?.text ?? null,
  });
}

/** What to do about an import that esbuild has not found; its own advice is for its own options. */
function missingPackage(text: string): string | null {
  const wanted = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  if (wanted === undefined) return null;
  if (/^\.{0,2}\//.test(wanted)) return 'the path is relative to the file that imports it';
  const name = /^(?:@[\w.-]+\/)?\w[\w.-]*/.exec(wanted)?.[0];
  if (name === undefined) return 'paths of tsconfig.json and package.json must lead to a file';
  return `'npm install ${name}' in the project's folder installs it`;
}

/** Puts code and map together, free of paths that only this machine has (B1). */
function assemble(outputs: readonly OutputFile[], inputs: readonly string[]): Buffer {
  const text = (suffix: string) => outputs.find((o) => o.path.endsWith(suffix))!.text;
  let code = text('.mjs');
  for (const input of inputs) {
    const portable = portablePath(input);
    // In comments and in the names of CommonJS wrappers; a user's own strings stay as they are.
    if (portable === input) continue;
    code = code.replaceAll(`// ${input}\n`, () => `// ${portable}\n`);
    code = code.replaceAll(`${JSON.stringify(input)}(`, () => `${JSON.stringify(portable)}(`);
  }
  const map = JSON.parse(text('.mjs.map')) as { sources: string[] };
  map.sources = map.sources.map((source) => portablePath(source));
  const inline = Buffer.from(JSON.stringify(map)).toString('base64');
  return Buffer.from(`${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`);
}

/**
 * Where a module believes that it lies (B1). Nothing is there: only what is imported is shipped, and whoever
 * looks for files beside a module reads why in the path that is missing.
 */
const shippedPlace = (path: string): string =>
  `${NOT_SHIPPED}/${portablePath(path).replace(/^(\.\.\/)+/, '')}`;

function portablePath(path: string): string {
  const at = path.indexOf('node_modules/');
  return at > 0 ? path.slice(at) : path;
}
