/**
 * Writes one part file in the staging folder of its job; see committer.ts for how it gets its final name.
 */
import { join } from 'node:path/posix';
import { crc32 } from 'node:zlib';
import type { Committable, SinkWriter, WriterContext } from '../../api/sink.ts';
import {
  type FileSystem,
  type FileWriter,
  isAbsent,
  StorageError,
} from '../../storage/file-system.ts';
import { absoluteLocation, openFileSystem } from '../../storage/open.ts';
import { stagingFolder, type StagingOwner } from './layout.ts';
import type { Part } from './parts.ts';

const flushChars = 256 * 1024;

const noFolder =
  'the folder that the JobManager made for it is not there. Another JobManager has taken the job over, or this ' +
  'machine does not have the same file system at that path as the one of the JobManager';

export interface PartFormat<T> {
  readonly suffix: string;
  /** First line, with its end; or nothing. */
  readonly header: string;
  /** A record with its line end. */
  readonly format: (value: T) => string;
}

export class PartWriter<T> implements SinkWriter<T> {
  readonly #name: string;
  /** Of the output folder. */
  readonly #location: string;
  readonly #owner: StagingOwner;
  readonly #format: PartFormat<T>;
  #path = '';
  #fileSystem: FileSystem | null = null;
  #file: FileWriter | null = null;
  #text = '';
  #records = 0;
  #bytes = 0;
  #checksum = 0;
  /** The write under way. Rejections are seen by the next `ready` or `finish`. */
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;
  #isFinished = false;

  constructor(path: string, format: PartFormat<T>, context: WriterContext) {
    this.#location = absoluteLocation(path, context.workingDirectory);
    this.#owner = context;
    this.#name = `part-${context.subtaskIndex}-${context.attempt}${format.suffix}`;
    this.#format = format;
  }

  async open(): Promise<void> {
    const { fileSystem, path } = await openFileSystem(this.#location);
    const folder = stagingFolder(path, this.#owner, this.#format.suffix);
    this.#path = join(folder, this.#name);
    this.#fileSystem = fileSystem;
    await this.#guard(async () => {
      this.#file = await fileSystem.create(this.#path).catch((error: unknown) => {
        if (isAbsent(error)) throw new Error(noFolder, { cause: error }); // F9
        if (!(error instanceof StorageError && error.fault === 'exists')) throw error;
        // Names of parts are used once in a job.
        throw new Error('another sink of the job writes to this folder, in the same format');
      });
    });
  }

  write(value: T): void {
    if (this.#records++ === 0) this.#text = this.#format.header;
    this.#text += this.#format.format(value);
    if (this.#text.length >= flushChars && this.#writing === null) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#bytes === 0 ? begun(this.#text) : this.#text);
    this.#text = '';
    this.#bytes += bytes.length;
    this.#checksum = crc32(bytes, this.#checksum);
    this.#writing = this.#guard(async () => {
      await this.#file!.write(bytes);
    }).then(
      () => {
        this.#writing = null;
      },
      (error: Error) => {
        this.#failure = error;
        this.#writing = null;
      },
    );
  }

  ready(): Promise<void> | null {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#writing === null || this.#text.length < flushChars) return null;
    return this.#settled();
  }

  async #settled(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure;
  }

  async finish(): Promise<readonly Committable[]> {
    await this.#settled();
    if (this.#text !== '') this.#flush();
    await this.#settled();
    await this.#guard(() => this.#file!.finish());
    if (this.#records === 0) {
      await this.#guard(() => this.#fileSystem!.delete(this.#path));
      return [];
    }
    this.#isFinished = true;
    const part: Part = { name: this.#name, bytes: this.#bytes, crc32: this.#checksum };
    return [{ ...part }];
  }

  async abort(): Promise<void> {
    if (this.#isFinished) return; // F5
    await this.#writing?.catch(() => {});
    await this.#file?.abort();
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw new Error(`cannot write ${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const byteOrderMark = '\ufeff';

/**
 * The text with which a file begins. A byte order mark is no part of it for readers, and so one that is a part of
 * it gets another one in front; so does what looks like UTF-16.
 */
const begun = (text: string): string =>
  // Zeros as they stand in UTF-16.
  text.startsWith(byteOrderMark) || /^(?:[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/.test(text)
    ? byteOrderMark + text
    : text;
