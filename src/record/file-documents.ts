/**
 * The record's documents as files: `NAME.VERSION.json` in one folder, the highest version counts.
 *
 * D1  A version is published by `link(2)`, which fails when the name exists: create-if-absent is the
 *     compare-and-set, and a reader never sees a half-written document.
 * D2  A writer whose version was overtaken and pruned meanwhile finds a higher one after linking, takes
 *     its own back and reports the conflict.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ProviderError, problem } from '../contract/errors.ts';

/** A document and the version to name when replacing it. Version 0: there is none yet. */
export interface Versioned<T> {
  readonly version: number;
  readonly value: T | null;
  /** How long ago it was written, by the clock of where it lies; `null`: nobody knows. */
  readonly ageMs: number | null;
}

const kept = 3;

async function versions(folder: string, name: string): Promise<number[]> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const found: number[] = [];
  for (const entry of entries) {
    const match =
      entry.startsWith(`${name}.`) && /^(\d+)\.json$/.exec(entry.slice(name.length + 1));
    if (match) found.push(Number(match[1]));
  }
  return found.sort((a, b) => b - a);
}

const fileOf = (folder: string, name: string, version: number) =>
  join(folder, `${name}.${version}.json`);

const ignoreMissing = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error;
};

const damaged = 'record-damaged';

/** Whether the record is no longer what was written: a full disk, a hand, a failing device. */
export const isRecordDamaged = (error: unknown): error is ProviderError =>
  error instanceof ProviderError && error.problems[0]!.code === damaged;

/**
 * The newest version of a document; version 0 and `null` when there is none.
 * @throws ProviderError `record-damaged`, naming the file.
 */
export async function readDocument<T>(folder: string, name: string): Promise<Versioned<T>> {
  for (;;) {
    const [version] = await versions(folder, name);
    if (version === undefined) return { version: 0, value: null, ageMs: null };
    const file = fileOf(folder, name, version);
    const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(ignoreMissing);
    if (found === undefined) continue; // Overtaken and pruned.
    const [text, { mtimeMs }] = found;
    return { version, value: parseDocument<T>(text, file), ageMs: Date.now() - mtimeMs };
  }
}

/**
 * What a document holds.
 * @param file for people.
 * @throws ProviderError `record-damaged`.
 */
export function parseDocument<T>(text: string, file: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== 'object') throw new Error('it is no JSON object');
    return value as T;
  } catch (error) {
    const damage = problem({
      code: damaged,
      message: `a document of the cluster's record is damaged: ${(error as Error).message}`,
      file,
      hint: "'fctl destroy' ends and removes the cluster",
    });
    throw new ProviderError(damage, { cause: error });
  }
}

/**
 * Writes a document if its version still is `expected`.
 * @returns the new version, or `null` when somebody else was faster (nothing is changed then).
 */
export async function writeDocument(
  folder: string,
  name: string,
  expected: number,
  value: unknown,
): Promise<number | null> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${name}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  const version = expected + 1;
  try {
    const [newest = 0] = await versions(folder, name);
    if (newest !== expected) return null;
    await link(temporary, fileOf(folder, name, version)); // D1
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
  const all = await versions(folder, name);
  if (all[0] !== undefined && all[0] > version && !all.includes(version + 1)) {
    await unlink(fileOf(folder, name, version)).catch(ignoreMissing); // D2
    return null;
  }
  for (const old of all.filter((v) => v <= version - kept)) {
    await unlink(fileOf(folder, name, old)).catch(ignoreMissing);
  }
  return version;
}
