/** Finds the files of a source and divides them into splits. Runs on the JobManager. */
import { glob, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
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
  const found = there?.isDirectory()
    ? await filesIn(absolute)
    : await matches(path, workingDirectory);
  if (found.length > 0) return found.sort();
  throw new Error(
    there?.isDirectory()
      ? `the input folder ${absolute} has no files`
      : `the input ${absolute} does not exist`,
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((e) => e.isFile() && !isHidden(e.name)).map((e) => join(folder, e.name));
}

async function matches(pattern: string, cwd: string): Promise<string[]> {
  if (!/[*?[{]/.test(pattern)) return [];
  const found: string[] = [];
  for await (const entry of glob(pattern, { cwd, withFileTypes: true })) {
    if (entry.isFile() && !isHidden(entry.name)) found.push(join(entry.parentPath, entry.name));
  }
  return found;
}

const isHidden = (name: string) => basename(name).startsWith('.') || name.startsWith('_');
