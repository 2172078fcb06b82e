/** From the location that a user gives to the driver that has it. The only place that knows the drivers. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type Location, parseLocation } from '../contract/location.ts';
import { createFileDriver } from './file-driver.ts';
import { type FileSystem, StorageError } from './file-system.ts';

export interface StorageOptions {
  /** `private`: what is created only its owner may read. Default `shared`: as the process's umask says. */
  readonly access?: 'shared' | 'private';
}

/** By scheme. A driver that needs a client library imports it when it is opened. */
const drivers: ReadonlyMap<string, (options: StorageOptions) => Promise<FileSystem>> = new Map([
  ['file', async ({ access = 'shared' }) => createFileDriver(access)],
]);

/**
 * Why a location cannot be used by this version; `null`: it can, if it is there.
 * @returns a sentence without a subject: `is empty`.
 */
export function locationProblem(location: string): string | null {
  return problemOf(parseLocation(location));
}

function problemOf(parsed: Location): string | null {
  if (parsed.kind === 'invalid') return parsed.why;
  if (parsed.kind !== 'address' || drivers.has(parsed.scheme)) return null;
  const known = [...drivers.keys()].map((scheme) => `${scheme}:`);
  return `has no file system: there is none for ${parsed.scheme}:; this version has ${known.join(', ')}`;
}

/**
 * Which place a location means in this process: an absolute path, or an address of another file system.
 * Absolute paths mean themselves, `~/` is below the home of the process's user.
 * @param base an absolute path that relative ones are relative to.
 * @throws StorageError `unsupported` naming the location, also for a scheme without a driver.
 */
export function absoluteLocation(location: string, base: string): string {
  const parsed = parseLocation(location);
  const problem = problemOf(parsed);
  if (problem !== null) throw new StorageError('unsupported', `the path '${location}' ${problem}`);
  if (parsed.kind === 'path') return resolve(base, parsed.path);
  if (parsed.kind === 'home') return join(homedir(), parsed.below);
  return location;
}

/**
 * The file system of an absolute location, and the path in it.
 * @throws StorageError `unsupported` as `absoluteLocation`, and for a relative path.
 */
export async function openFileSystem(
  location: string,
  options: StorageOptions = {},
): Promise<{ readonly fileSystem: FileSystem; readonly path: string }> {
  const parsed = parseLocation(location);
  if (parsed.kind === 'path' && !isAbsolute(parsed.path)) {
    throw new StorageError('unsupported', `the path '${location}' is not absolute`);
  }
  const path = absoluteLocation(location, '/');
  const scheme = parsed.kind === 'address' ? parsed.scheme : 'file';
  return { fileSystem: await drivers.get(scheme)!(options), path };
}
