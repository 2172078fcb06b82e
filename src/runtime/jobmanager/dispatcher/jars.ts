/**
 * Applications that were uploaded over REST to be run here. Flink's API calls them jars; each is a bundle.
 *
 *     staged → listed → removed
 *
 * J1  What is listed is whole and can be run: it was evaluated before one rename made it one that is listed.
 * J2  An id is no path: it is looked up only in the form that ids have.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ApplicationEntry } from '../../../contract/application-messages.ts';
import { API_VERSION, bundleVersion } from '../../../contract/bundle.ts';
import { sha256 } from '../../../contract/hash.ts';
import { syncFolder } from '../../../storage/file-driver.ts';

export interface Jar {
  /** `544d4b98-0da4-47e3-a2e3-2bf9368b611d_flights.mjs` */
  readonly id: string;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly uploaded: number;
  readonly entries: readonly ApplicationEntry[];
  readonly file: string;
  /** Of its content. */
  readonly hash: string;
}

/** What was uploaded is no application that can run here; says why. */
export class JarError extends Error {}

export interface JarStoreOptions {
  readonly directory: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Evaluates a bundle. Rejects with JarError. */
  readonly entriesOf: (bundle: JarBundle) => Promise<readonly ApplicationEntry[]>;
}

export type JarBundle = Pick<Jar, 'file' | 'hash'>;

/** J2 */
const idFormat = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}_([\w.-]+)$/;
const bundleName = 'bundle.mjs';
const aboutName = 'about.json';
const stagedPrefix = '.staged-';

export class JarStore {
  readonly #options: JarStoreOptions;

  constructor(options: JarStoreOptions) {
    this.#options = options;
  }

  /** Newest first, as in Flink. */
  async list(): Promise<readonly Jar[]> {
    const names = await readdir(this.#options.directory).catch(() => []);
    const jars = await Promise.all(names.map((name) => this.find(name)));
    return jars.filter((jar) => jar !== null).toSorted((a, b) => b.uploaded - a.uploaded);
  }

  /** `null`: there is none. */
  async find(id: string): Promise<Jar | null> {
    const name = idFormat.exec(id)?.[1];
    if (name === undefined) return null;
    const folder = join(this.#options.directory, id);
    const about = await readFile(join(folder, aboutName), 'utf8').catch(() => null);
    if (about === null) return null;
    const { entries, hash, uploaded } = JSON.parse(about) as Pick<
      Jar,
      'entries' | 'hash' | 'uploaded'
    >;
    return { id, name, uploaded, entries, hash, file: join(folder, bundleName) };
  }

  /** J1. @throws JarError when it is none that can run here; then nothing is left of it. */
  async add(given: string, content: Uint8Array): Promise<Jar> {
    checkBundle(content);
    const { directory, entriesOf } = this.#options;
    const name = fileNameOf(given);
    const id = `${randomUUID()}_${name}`;
    const staged = join(directory, `${stagedPrefix}${id}`);
    const file = join(staged, bundleName);
    const hash = sha256(content);
    await mkdir(staged, { recursive: true, mode: 0o700 });
    try {
      await writeFile(file, content, { mode: 0o600, flush: true });
      const entries = await entriesOf({ file, hash });
      const about = { uploaded: this.#options.now(), entries, hash };
      await writeFile(join(staged, aboutName), JSON.stringify(about), { flush: true });
      await syncFolder(staged);
      await rename(staged, join(directory, id));
      await syncFolder(directory);
      return { id, name, ...about, file: join(directory, id, bundleName) };
    } catch (error) {
      await rm(staged, { recursive: true, force: true });
      throw error;
    }
  }

  /** Removes what an earlier JobManager began to receive. */
  async clean(): Promise<void> {
    const { directory } = this.#options;
    const names = await readdir(directory).catch(() => []);
    const left = names.filter((name) => name.startsWith(stagedPrefix));
    await Promise.all(
      left.map((name) => rm(join(directory, name), { recursive: true, force: true })),
    );
  }

  /** @returns whether there was one. */
  async remove(id: string): Promise<boolean> {
    if ((await this.find(id)) === null) return false;
    const removed = join(this.#options.directory, `${stagedPrefix}${randomUUID()}`);
    const was = await rename(join(this.#options.directory, id), removed).then(
      () => true,
      () => false, // somebody else was faster
    );
    await rm(removed, { recursive: true, force: true });
    return was;
  }
}

const longestName = 100;

/** What of a name can be part of an id. */
function fileNameOf(given: string): string {
  const name = basename(given.replaceAll('\\', '/')).replaceAll(/[^\w.-]+/g, '_');
  return name.slice(-longestName) || 'application.mjs';
}

const howTo = "make one with 'fctl bundle' and upload that";

/** @throws JarError */
function checkBundle(content: Uint8Array): void {
  const version = bundleVersion(content);
  if (version === API_VERSION) return;
  if (version !== null) {
    throw new JarError(
      `this application was made for version ${version} of the API, and this JobManager has ${API_VERSION}`,
    );
  }
  throw new JarError(
    zip.equals(content.subarray(0, zip.length))
      ? `this is a Java archive, and this JobManager runs applications in TypeScript: ${howTo}, or run this one on an Apache Flink cluster`
      : `this is no application bundle: ${howTo}`,
  );
}

const zip = Buffer.from('PK\u0003\u0004', 'latin1');
