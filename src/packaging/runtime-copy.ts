/**
 * The runtime as files, for processes of this machine: what a runtime archive has, but for its Node.js. A folder
 * with `dist/`, `package.json` and `templates/supervise.sh`.
 *
 * C1  `hash` names the content of all files together.
 * C2  What is written was verified (F1): an upgrade of fctl in between is an error, and never half a runtime.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import { readRuntimeFile, readSupervisor, runtimeFiles, runtimePackage } from './runtime-files.ts';

export interface RuntimeCopy {
  /** Lowercase hex SHA-256. */
  readonly hash: string;
  /** Whether a folder has all of it. Only sizes are compared: nobody writes into a copy. */
  isWhole(folder: string): Promise<boolean>;
  /** Writes it into a folder that nobody else knows. @throws ProviderError `runtime-missing` (C2). */
  writeTo(folder: string, signal: AbortSignal): Promise<void>;
}

/** @param runtimeDir fctl's own `dist/`. @throws ProviderError `runtime-missing` when fctl is not built. */
export async function runtimeCopy(runtimeDir: string, templatesDir: string): Promise<RuntimeCopy> {
  const files = await runtimeFiles(runtimeDir);
  const others = [
    { path: 'package.json', content: runtimePackage },
    { path: 'templates/supervise.sh', content: await readSupervisor(templatesDir) },
  ];
  const isWhole = async (folder: string) => {
    const sizes = [
      ...files.map(({ path }) => [join('dist', path), sizeOf(join(runtimeDir, path))] as const),
      ...others.map(({ content, path }) => [path, Buffer.byteLength(content)] as const),
    ];
    const equal = sizes.map(
      async ([path, size]) => (await sizeOf(join(folder, path))) === (await size),
    );
    return (await Promise.all(equal)).every(Boolean);
  };
  return {
    hash: sha256(canonicalJson([files, others])),
    isWhole,
    writeTo: async (folder, signal) => {
      const written = new Set<string>();
      const put = async (path: string, content: Buffer | string) => {
        signal.throwIfAborted();
        const file = join(folder, path);
        if (!written.has(dirname(file)))
          await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        written.add(dirname(file));
        await writeFile(file, content, { mode: 0o600 });
      };
      for (const file of files)
        await put(join('dist', file.path), await readRuntimeFile(runtimeDir, file));
      for (const { content, path } of others) await put(path, content);
    },
  };
}

/** @returns -1 when it is not there. */
const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => -1,
  );
