/** The driver `file`: the files of this machine. Bound to nothing; making one costs nothing. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type FileKind,
  type FileStatus,
  type FileSystem,
  type FileWriter,
  type FolderEntry,
  type OpenFile,
  StorageError,
  type StorageFault,
} from './file-system.ts';

const modes = {
  shared: { file: 0o666, folder: 0o777 },
  private: { file: 0o600, folder: 0o700 },
} as const;

/** @param access of what is created: `shared` as the umask says, `private` for its owner alone. */
export function createFileDriver(access: keyof typeof modes): FileSystem {
  const mode = modes[access];
  return {
    scheme: 'file',
    capabilities: { rename: true },
    stat: (path) => absentAs(null, () => statusOf(path)),
    list: (folder) => absentAs([], () => listFolder(folder)),
    open: (path) => guard(async () => new LocalFile(await open(path, constants.O_RDONLY))),
    read: (path) => guard(() => readFile(path)),
    createIfAbsent: (path, bytes) =>
      guard(() =>
        withTemporary(path, bytes, mode.file, async (temporary) => {
          const isCreated = await linkIfAbsent(temporary, path); // P2
          await unlink(temporary);
          if (isCreated) await syncFolder(dirname(path)); // P1
          return isCreated;
        }),
      ),
    replace: (path, bytes) =>
      guard(() =>
        withTemporary(path, bytes, mode.file, async (temporary) => {
          await rename(temporary, path); // P2
          await syncFolder(dirname(path)); // P1
        }),
      ),
    create: (path) => guard(async () => new LocalWriter(path, await open(path, 'wx', mode.file))),
    createFolder: (path) => guard(() => createFolder(path, mode.folder)),
    rename: (from, to) => guard(() => rename(from, to)),
    renameIfAbsent: (from, to) => guard(() => renameIfAbsent(from, to)),
    delete: (path) =>
      absentAs(undefined, () => rm(path, { recursive: true, force: true, maxRetries: 5 })),
    syncFolder: (folder) => guard(() => syncFolder(folder)),
  };
}

async function guard<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw described(error as NodeJS.ErrnoException);
  }
}

async function absentAs<T>(nothing: T, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isMissing(error)) return nothing; // P3
    throw described(error as NodeJS.ErrnoException);
  }
}

const faults: Readonly<Record<string, StorageFault>> = {
  ENOENT: 'absent',
  ENOTDIR: 'absent',
  EEXIST: 'exists',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
};

const plainly: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the user's share of the disk is full",
  EROFS: 'the file system is read-only',
};

function described(error: NodeJS.ErrnoException): Error {
  if (error instanceof StorageError || error.code === undefined) return error;
  const fault = faults[error.code] ?? 'other';
  return new StorageError(fault, plainly[error.code] ?? error.message, { cause: error });
}

const isMissing = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
};

async function statusOf(path: string): Promise<FileStatus> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return brokenLink;
    throw error;
  }
  const kind = kindOf(found);
  const size = kind === 'file' ? found.size : 0;
  return { kind, size, modifiedMs: found.mtimeMs, identity: `${found.dev}:${found.ino}` };
}

const brokenLink: FileStatus = { kind: 'link', size: 0, modifiedMs: 0, identity: null };

function kindOf(found: Stats): FileKind {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  if (found.isFIFO()) return 'pipe';
  return found.isSocket() ? 'socket' : 'device';
}

/** So many entries are looked at at a time: a folder may have a million. */
const lookingAtOnce = 64;

async function listFolder(folder: string): Promise<FolderEntry[]> {
  const names = await readdir(folder);
  const entries: FolderEntry[] = [];
  for (let at = 0; at < names.length; at += lookingAtOnce) {
    const some = names.slice(at, at + lookingAtOnce);
    const found = await Promise.all(some.map((name) => entryOf(folder, name)));
    entries.push(...found.filter((entry) => entry !== null));
  }
  return entries;
}

/** @returns `null` for a file that was removed meanwhile. */
async function entryOf(folder: string, name: string): Promise<FolderEntry | null> {
  const path = join(folder, name);
  try {
    return { name, ...(await statusOf(path)) };
  } catch (error) {
    if (!isMissing(error)) throw error;
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    return isLink ? { name, ...brokenLink } : null;
  }
}

/** Under a name of its own beside `path`, durable. `use` renames or removes it. */
async function withTemporary<T>(
  path: string,
  bytes: Uint8Array,
  mode: number,
  use: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = join(dirname(path), `.tmp-${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.appendFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return await use(temporary);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // its error would hide the other one
    throw error;
  }
}

/** `link(2)` fails where a name exists, and readers never see half of a file (P2). */
async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function renameIfAbsent(from: string, to: string): Promise<boolean> {
  if (!(await linkIfAbsent(from, to)) && !(await isSameFile(from, to))) return false;
  await unlink(from);
  return true;
}

/** As after a crash between linking and unlinking. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
  return a.dev === b.dev && a.ino === b.ino;
}

async function createFolder(path: string, mode: number): Promise<void> {
  let first: string | undefined;
  try {
    first = await mkdir(path, { recursive: true, mode });
  } catch (error) {
    // On a read-only file system it says that something does not exist.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') await mkdirFirstMissing(path);
    throw error;
  }
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) {
    await syncFolder(dirname(folder)); // P1
  }
}

/** Fails for the reason that `mkdir` of a whole path does not tell. */
async function mkdirFirstMissing(path: string): Promise<void> {
  const parent = dirname(path);
  const isThere = await stat(parent).then(
    () => true,
    () => parent === path,
  );
  await (isThere ? mkdir(path) : mkdirFirstMissing(parent));
}

/** Makes durable which names are in a folder of this machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class LocalFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let got = 0;
    while (got < length) {
      const { bytesRead } = await guard(() =>
        this.#handle.read(bytes, got, length - got, position + got),
      );
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return bytes.subarray(0, got);
  }

  close(): Promise<void> {
    return guard(() => this.#handle.close());
  }
}

class LocalWriter implements FileWriter {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  write(bytes: Uint8Array): Promise<void> {
    return guard(() => this.#handle.appendFile(bytes));
  }

  finish(): Promise<void> {
    return guard(async () => {
      await this.#handle.sync(); // P1
      await this.#handle.close();
    });
  }

  async abort(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#path, { force: true }).catch(() => {});
  }
}
