/** Finds the files of a source and divides them into splits. Runs on the JobManager. */
import type { Dirent } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { Split, SplitEnumerator } from '../../api/source.ts';
import type { JsonObject } from '../../contract/json.ts';
import { ListEnumerator } from '../list-enumerator.ts';

/** `path`: a file, a folder or a glob; `format`: `lines` (a split a file) or `parquet` (a split a row group). */
export function createFileEnumerator(
  options: JsonObject,
  workingDirectory: string,
): SplitEnumerator {
  const path = options['path'] as string;
  return new ListEnumerator(async () => {
    const files = await findFiles(path, workingDirectory);
    if (options['format'] !== 'parquet') return files.map((file) => ({ id: file, file }));
    const { rowGroupSplits } = await import('./parquet-file.ts');
    const splits = await Promise.all(files.map(rowGroupSplits));
    return splits.flat() as Split[];
  });
}

/**
 * The files that a path names, sorted: itself, what is in a folder (not hidden), what a glob matches.
 * @throws Error naming the absolute path when there are none.
 */
async function findFiles(path: string, workingDirectory: string): Promise<string[]> {
  const absolute = resolve(workingDirectory, path);
  const there = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new Error(`cannot read the input ${absolute}: ${error.message}`);
  });
  if (there?.isFile()) return [absolute];
  if (there?.isDirectory()) {
    const found = await filesIn(absolute);
    if (found.length > 0) return found.sort();
    throw new Error(`the input folder ${absolute} has no files`);
  }
  if (!magic.test(path)) throw new Error(`the input ${absolute} does not exist`);
  const found = await matches(path, workingDirectory);
  if (found.length > 0) return found.sort();
  throw new Error(`no file matches the input ${absolute}`);
}

const magic = /[*?[{]/;

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = await Promise.all(entries.filter((entry) => !isHidden(entry.name)).map(fileOf));
  return files.filter((file) => file !== null);
}

/** What is in a hidden folder is hidden, unless the pattern names the folder. */
async function matches(pattern: string, cwd: string): Promise<string[]> {
  const segments = pattern.split(sep);
  const firstMagic = segments.findIndex((segment) => magic.test(segment));
  const named = resolve(
    cwd,
    segments.slice(0, firstMagic).join(sep) || (firstMagic > 0 ? sep : ''),
  );
  const found: string[] = [];
  for await (const entry of glob(pattern, { cwd, withFileTypes: true })) {
    const path = relative(named, join(entry.parentPath, entry.name));
    const file = path.split(sep).some(isHidden) ? null : await fileOf(entry);
    if (file !== null) found.push(file);
  }
  return found;
}

/** The path of a file or of a link to one. */
async function fileOf(entry: Dirent): Promise<string | null> {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isSymbolicLink()) return entry.isFile() ? path : null;
  const target = await stat(path).catch(() => null);
  return target?.isFile() ? path : null;
}

const isHidden = (name: string) => name.startsWith('.') || name.startsWith('_');
