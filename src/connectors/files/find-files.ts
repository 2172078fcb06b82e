/** The files of an input: a file, a folder with everything below it, or what a glob matches. */
import { basename, join, matchesGlob } from 'node:path/posix';
import type { FileKind, FileStatus, FileSystem } from '../../storage/file-system.ts';
import { absoluteLocation, openFileSystem } from '../../storage/open.ts';
import { compareNaturally } from './natural-order.ts';

export interface InputFile {
  /** Absolute. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * In natural order. Files and folders whose names begin with `.` or `_` are left out, unless the path names
 * them.
 * @throws Error naming the absolute path when there are none, or when something is no file and no folder.
 */
export async function findFiles(location: string, workingDirectory: string): Promise<InputFile[]> {
  const absolute = absoluteLocation(location, workingDirectory);
  const { fileSystem, path } = await openFileSystem(absolute);
  const finder = new Finder(fileSystem);
  const files = await finder.find(path);
  return files.sort((a, b) => compareNaturally(a.path, b.path));
}

const what: Readonly<Record<Exclude<FileKind, 'file' | 'folder'>, string>> = {
  pipe: 'a pipe',
  socket: 'a socket',
  device: 'a device',
  link: 'a link that leads nowhere, or back to itself',
};

const linkBack = (path: string) =>
  new Error(`the input ${path} is a link to a folder that it lies in`);

interface Found extends FileStatus {
  readonly path: string;
  readonly name: string;
}

class Finder {
  readonly #fileSystem: FileSystem;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  async find(path: string): Promise<InputFile[]> {
    const there = await this.#look(path);
    if (there !== null) {
      const files = await this.#filesOf({ path, name: basename(path), ...there }, []);
      if (files.length > 0) return files;
      throw new Error(`the input folder ${path} has no files`);
    }
    if (!isGlob(path)) throw new Error(`the input ${path} does not exist`);
    const files: InputFile[] = [];
    for (const found of await this.#matches(path)) files.push(...(await this.#filesOf(found, [])));
    const unique = new Map(files.map((file) => [file.path, file])); // `**` may match a folder and what is in it
    if (unique.size > 0) return [...unique.values()];
    throw new Error(`no file matches the input ${path}`);
  }

  async #look(path: string): Promise<FileStatus | null> {
    try {
      return await this.#fileSystem.stat(path);
    } catch (error) {
      throw new Error(`cannot read the input ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** @param above the folders that lead here. */
  async #filesOf({ kind, path, size, identity }: Found, above: readonly string[]) {
    if (kind === 'file') return [{ path, size }];
    if (kind !== 'folder') throw new Error(`the input ${path} is ${what[kind]}, not a file`);
    if (identity !== null && above.includes(identity)) throw linkBack(path);
    const inner = identity === null ? above : [...above, identity];
    const files: InputFile[] = [];
    for (const entry of await this.#entries(path))
      files.push(...(await this.#filesOf(entry, inner)));
    return files;
  }

  /** Without what is hidden. */
  async #entries(folder: string): Promise<Found[]> {
    try {
      const entries = await this.#fileSystem.list(folder);
      return entries
        .filter(({ name }) => !isHidden(name))
        .map((entry) => ({ ...entry, path: join(folder, entry.name) }));
    } catch (error) {
      throw new Error(`cannot read the input folder ${folder}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async #matches(pattern: string): Promise<Found[]> {
    const found: Found[] = [];
    for (const each of withoutBraces(pattern)) {
      found.push(...(await this.#below('/', each.split('/').slice(1))));
    }
    return found;
  }

  /** What the segments of a pattern match below a folder. */
  async #below(folder: string, [segment, ...rest]: readonly string[]): Promise<Found[]> {
    if (segment === undefined) return this.#there(folder);
    if (!isGlob(segment)) return this.#below(join(folder, segment), rest);
    const found: Found[] = [];
    if (segment === '**') {
      if (rest[0] === '**') return this.#below(folder, rest);
      const identity = (await this.#look(folder))?.identity ?? null;
      for (const each of await this.#everyFolder(folder, identity === null ? [] : [identity])) {
        found.push(...(await (rest.length === 0 ? this.#entries(each) : this.#below(each, rest))));
      }
      return found;
    }
    for (const entry of await this.#entries(folder)) {
      if (!matchesGlob(entry.name, segment)) continue;
      if (rest.length === 0) found.push(entry);
      else if (entry.kind === 'folder') found.push(...(await this.#below(entry.path, rest)));
    }
    return found;
  }

  /** A folder and all below it. */
  async #everyFolder(folder: string, above: readonly string[]): Promise<string[]> {
    const found = [folder];
    for (const { identity, kind, path } of await this.#entries(folder)) {
      if (kind !== 'folder') continue;
      if (identity !== null && above.includes(identity)) throw linkBack(path);
      const inner = identity === null ? above : [...above, identity];
      found.push(...(await this.#everyFolder(path, inner)));
    }
    return found;
  }

  async #there(path: string): Promise<Found[]> {
    const status = await this.#look(path);
    return status === null ? [] : [{ path, name: basename(path), ...status }];
  }
}

const isGlob = (text: string) => /[*?[{]/.test(text);

const isHidden = (name: string) => name.startsWith('.') || name.startsWith('_');

/** `a/{b/c,d}` → `a/b/c`, `a/d`: alternatives may hold slashes. */
function withoutBraces(pattern: string): string[] {
  const close = pattern.indexOf('}');
  const open = close < 0 ? -1 : pattern.lastIndexOf('{', close);
  if (open < 0) return [pattern];
  const alternatives = pattern.slice(open + 1, close).split(',');
  return alternatives.flatMap((each) =>
    withoutBraces(pattern.slice(0, open) + each + pattern.slice(close + 1)),
  );
}
