/**
 * The files of `dist/` that processes of a cluster load, as the build lists them in `dist/runtime.json`:
 * no command line, nothing that only it needs.
 *
 * F1  A file is packed only when it is what the list says: a build in between, or a damaged
 *     installation, is an error and never half a runtime.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProviderError, problem } from '../contract/errors.ts';
import { sha256 } from '../contract/hash.ts';
import { FCTL_VERSION } from '../contract/version.ts';

export interface RuntimeFile {
  /** Below `dist/`, with `/`. */
  readonly path: string;
  /** Lowercase hex SHA-256 of its content. */
  readonly sha256: string;
}

/** `dist/runtime.json`: hashes by path. */
type RuntimeList = Readonly<Record<string, string>>;

/** The `package.json` above them: makes them ES modules. */
export const runtimePackage = `${JSON.stringify({ name: 'fctl', version: FCTL_VERSION, type: 'module' })}\n`;

/** @returns all of them, sorted by path. @throws ProviderError `runtime-missing`. */
export async function runtimeFiles(runtimeDir: string): Promise<RuntimeFile[]> {
  try {
    const list = JSON.parse(
      await readFile(join(runtimeDir, 'runtime.json'), 'utf8'),
    ) as RuntimeList;
    return Object.entries(list)
      .map(([path, hash]) => ({ path, sha256: hash }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    throw missing(runtimeDir, `there is no runtime in ${runtimeDir}`, error);
  }
}

/** @throws ProviderError `runtime-missing` when it is not what the list says (F1). */
export async function readRuntimeFile(runtimeDir: string, file: RuntimeFile): Promise<Buffer> {
  const path = join(runtimeDir, file.path);
  const content = await readFile(path).catch((error: unknown) => {
    throw missing(path, `the runtime is incomplete: ${file.path} is missing`, error);
  });
  if (sha256(content) === file.sha256) return content;
  throw missing(path, `the runtime is damaged: ${file.path} is not what was built`, null);
}

/** `supervise.sh`. @throws ProviderError `runtime-missing`. */
export async function readSupervisor(templatesDir: string): Promise<string> {
  const path = join(templatesDir, 'supervise.sh');
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw missing(path, `the runtime is incomplete: ${path} is missing`, error);
  });
}

function missing(file: string, message: string, cause: unknown): ProviderError {
  return new ProviderError(
    problem({
      code: 'runtime-missing',
      message,
      file,
      hint: 'install fctl again; in its repository: npm run build',
    }),
    { cause },
  );
}
