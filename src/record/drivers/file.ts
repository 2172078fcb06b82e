/**
 * The record as files in one folder: `NAME.N.json`. The highest N is the document; N as text is its version.
 *
 * A write makes a temporary file, looks which version is the newest, and links its file under the next
 * number. It may stop for any time between looking and linking: a laptop sleeps, a process is paused.
 *
 * D1  A version is published by `link(2)`, which fails where the name exists: create-if-absent is the
 *     compare-and-set, and a reader never sees a half-written document.
 * D2  Before an old version is removed, the temporary files of all writers of that document are. A writer
 *     that has looked before that version was there made its file earlier still; so it finds the name taken,
 *     or its own file gone, and never succeeds. No clock decides this.
 * D3  The content is synced before it is published, and the folder before the writer is told.
 * D4  A document that was published is written: what fails afterwards is not told. A `link` that failed but
 *     was carried out all the same (a lost answer of a network file system) counts as carried out.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readFile, readdir } from 'node:fs/promises';
import { stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../../contract/call.ts';
import {
  MAX_DOCUMENT_BYTES,
  type StoredDocument,
  type StoredDocuments,
  type Version,
  checkSize,
  describeWriteError,
  parseDocument,
} from '../store.ts';

/** Takes any name, not only those of a record's documents. */
export interface FileStore {
  readonly maxBytes: number;
  read(names?: readonly string[], call?: Partial<Call>): Promise<StoredDocuments>;
  write(
    name: string,
    value: unknown,
    expected: Version | null,
    call?: Partial<Call>,
  ): Promise<Version | null>;
}

/** Newest versions that stay, for whoever is reading one. */
const kept = 4;
/** Older ones stay as long as a network file system may show other machines a folder as it was. */
const keptMs = 120_000;

/** @param folder is made with the first document. */
export function createFileStore(folder: string): FileStore {
  return {
    maxBytes: MAX_DOCUMENT_BYTES,
    read: (names, call) => readDocuments(folder, names ?? null, call?.signal ?? null),
    write: (name, value, expected, call) =>
      new Writer(folder, name, call?.signal ?? null).write(JSON.stringify(value), expected),
  };
}

/** A file of a record. */
export interface DocumentFile {
  readonly name: string;
  readonly number: number;
}

/** `null`: the file is none of a record. */
export function parseFileName(file: string): DocumentFile | null {
  const [, name, number] = /^([a-z][a-z-]*)\.(\d{1,15})\.json$/.exec(file) ?? [];
  return name === undefined ? null : { name, number: Number(number) };
}

const fileName = (name: string, number: number) => `${name}.${number}.json`;

/** The newest number of each document among the files of a folder. */
export function newestOf(files: Iterable<string>): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const file of files) {
    const found = parseFileName(file);
    if (found !== null && found.number > (newest.get(found.name) ?? 0))
      newest.set(found.name, found.number);
  }
  return newest;
}

/** The version of a document among the files of a folder; `null`: it is not there. */
export function versionIn(files: Iterable<string>, name: string): Version | null {
  const number = newestOf(files).get(name);
  return number === undefined ? null : String(number);
}

/** Empty where there is no folder. */
async function filesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** Versions never change: when the newest ones are still the same after they were read, they are a snapshot. */
async function readDocuments(
  folder: string,
  names: readonly string[] | null,
  signal: AbortSignal | null,
): Promise<StoredDocuments> {
  const found = new Map<string, StoredDocument>();
  let listed = newestOf(await filesIn(folder));
  for (;;) {
    signal?.throwIfAborted();
    const wanted = (names ?? [...listed.keys()]).filter((name) => listed.has(name));
    const reads = wanted.map(async (name) => {
      const number = listed.get(name)!;
      if (found.get(name)?.version === String(number)) return;
      const document = await readVersion(folder, name, number);
      if (document !== null) found.set(name, document);
    });
    await Promise.all(reads);
    if (wanted.length === 0) return new Map();
    const isWhole = wanted.every((name) => found.get(name)?.version === String(listed.get(name)));
    if (isWhole && names?.length === 1) return found;
    const now = newestOf(await filesIn(folder));
    const isSame = (names ?? [...now.keys()]).every((name) => now.get(name) === listed.get(name));
    if (isWhole && isSame) return found;
    if (now.size === 0) return new Map(); // it was removed
    listed = now;
  }
}

/** `null`: it was overtaken and removed. */
async function readVersion(
  folder: string,
  name: string,
  number: number,
): Promise<StoredDocument | null> {
  const file = join(folder, fileName(name, number));
  const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(nullIfMissing);
  if (found === null) return null;
  const [text, { mtimeMs }] = found;
  const ageMs = Math.max(0, Date.now() - mtimeMs);
  return { value: parseDocument(text, file), version: String(number), ageMs };
}

/** One write. */
class Writer {
  readonly #folder: string;
  readonly #name: string;
  readonly #signal: AbortSignal | null;

  constructor(folder: string, name: string, signal: AbortSignal | null) {
    this.#folder = folder;
    this.#name = name;
    this.#signal = signal;
  }

  async write(text: string, expected: Version | null): Promise<Version | null> {
    checkSize(this.#name, text, MAX_DOCUMENT_BYTES);
    try {
      return await this.#write(text, expected);
    } catch (error) {
      throw describeWriteError(error, this.#folder);
    }
  }

  async #write(text: string, expected: Version | null): Promise<Version | null> {
    const number = Number(expected ?? 0) + 1;
    for (;;) {
      this.#signal?.throwIfAborted();
      if (expected === null) await makeFolder(this.#folder);
      const temporary = await this.#makeTemporary(text);
      if (temporary === null) return null; // The folder, with what was expected in it, is gone.
      const result = await this.#publish(temporary, number);
      if (result === 'again') continue;
      if (result === 'overtaken') return null;
      await syncFolder(this.#folder).catch(() => {}); // D3, D4
      await this.#removeOld(number).catch(() => {});
      return String(number);
    }
  }

  /** `null`: there is no folder. */
  async #makeTemporary(text: string): Promise<string | null> {
    const temporary = join(this.#folder, this.#prefix + randomBytes(6).toString('hex') + suffix);
    const file = await open(temporary, 'wx', 0o600).catch(nullIfMissing);
    if (file === null) return null;
    try {
      await fill(file, text);
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    }
    return temporary;
  }

  get #prefix(): string {
    return `.${this.#name}.`;
  }

  /** `again`: its file was taken away by somebody who removed old versions (D2). */
  async #publish(temporary: string, number: number): Promise<'published' | 'overtaken' | 'again'> {
    const target = join(this.#folder, fileName(this.#name, number));
    try {
      const newest = newestOf(await filesIn(this.#folder)).get(this.#name) ?? 0;
      if (newest !== number - 1) return 'overtaken';
      this.#signal?.throwIfAborted();
      await link(temporary, target); // D1
    } catch (error) {
      if (await isSameFile(temporary, target)) return 'published'; // D4
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return 'overtaken';
      if (code === 'ENOENT') return 'again';
      throw error;
    } finally {
      await unlink(temporary).catch(() => {});
    }
    return 'published';
  }

  /** D2. @param own what was just published; its time is that of where the files lie. */
  async #removeOld(own: number): Promise<void> {
    const files = await filesIn(this.#folder);
    const numbers = files.flatMap((file) => {
      const found = parseFileName(file);
      return found?.name === this.#name && found.number <= own - kept ? [found.number] : [];
    });
    if (numbers.length === 0) return;
    const fileOf = (number: number) => join(this.#folder, fileName(this.#name, number));
    const { mtimeMs: now } = await stat(fileOf(own));
    const old: number[] = [];
    for (const number of numbers.sort((a, b) => a - b)) {
      const found = await stat(fileOf(number)).catch(nullIfMissing);
      if (found !== null && now - found.mtimeMs < keptMs) break; // so are the others
      old.push(number);
    }
    if (old.length === 0) return;
    for (const file of files) {
      if (file.startsWith(this.#prefix) && file.endsWith(suffix))
        await unlink(join(this.#folder, file)).catch(nullIfMissing);
    }
    for (const number of old) await unlink(fileOf(number)).catch(nullIfMissing);
  }
}

/** Of temporary files: `.NAME.RANDOM.tmp`. */
const suffix = '.tmp';

async function fill(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((file) => stat(file).catch(() => null)));
  return a != null && b != null && a.ino === b.ino && a.dev === b.dev;
}

/** Makes a folder that is there after a power cut, with those above it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made)).catch(() => {}); // some may be written to and not read
    if (made === first || made === dirname(made)) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
