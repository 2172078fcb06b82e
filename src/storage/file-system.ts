/**
 * The FileSystem port: what record, connectors and runtime need of the places where files lie. One driver a
 * scheme; see open.ts. Every driver passes `test/storage/contract.ts`.
 *
 * Paths are absolute, with `/`, and every character but that and NUL means itself. Links are followed.
 *
 * P1  What a call has written is durable when it resolves: after a crash of the machine it is there. What
 *     `rename`, `renameIfAbsent` and `delete` did is durable after `syncFolder`.
 * P2  `createIfAbsent`, `renameIfAbsent` and `replace` are atomic: readers see all of the bytes or none,
 *     and of several callers that create the same path one gets `true`.
 * P3  What is not there is an answer (`null`, an empty list, `false`), where that is what is asked.
 *     Everything else that goes wrong throws a StorageError: what could not be looked at is not absent.
 * P4  Stores without folders (S3) make `createFolder` and `syncFolder` do nothing; a folder is there as
 *     long as something is in it. Stores that cannot rename say so in `capabilities`; they still have
 *     P2 for `createIfAbsent`.
 */

export interface FileSystem {
  /** Of its addresses: `file`, `hdfs`, `s3`. */
  readonly scheme: string;
  readonly capabilities: Capabilities;

  /** @returns `null` when there is nothing. */
  stat(path: string): Promise<FileStatus | null>;
  /** What is in a folder, in no order; nothing when it is not there. */
  list(folder: string): Promise<FolderEntry[]>;
  /** Of a file: ranged reads. Costs no more than one request or descriptor. */
  open(path: string): Promise<OpenFile>;
  /** All of a file. */
  read(path: string): Promise<Buffer>;

  /** Needs the folder. @returns whether it was created; `false`: something is there, and stays as it is. */
  createIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Creates or replaces a file. Needs the folder. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** A file that is written bit by bit. Needs the folder. @throws StorageError `exists`. */
  create(path: string): Promise<FileWriter>;
  /** With its parents; nothing happens when it is there. */
  createFolder(path: string): Promise<void>;
  /** Of a file; replaces a file, atomically. @throws StorageError `absent`. */
  rename(from: string, to: string): Promise<void>;
  /**
   * Of a file. May be repeated after a crash in the middle of it.
   * @returns `false`: something is there, and `from` stays. @throws StorageError `absent`.
   */
  renameIfAbsent(from: string, to: string): Promise<boolean>;
  /** A file or link, or a folder with everything below it; nothing happens when it is not there. */
  delete(path: string): Promise<void>;
  /** Makes durable which names are in a folder (P1). */
  syncFolder(folder: string): Promise<void>;
}

export interface Capabilities {
  /** Whether `rename` and `renameIfAbsent` work; else they throw a StorageError `unsupported`. */
  readonly rename: boolean;
}

/** `link`: one that leads nowhere, or round in circles. */
export type FileKind = 'file' | 'folder' | 'pipe' | 'socket' | 'device' | 'link';

export interface FileStatus {
  readonly kind: FileKind;
  /** In bytes. 0 for everything but files, and for files that the operating system makes up (`/proc`). */
  readonly size: number;
  /** Epoch milliseconds, by the clock of the place. */
  readonly modifiedMs: number;
  /** The same for two paths that links lead to one folder or file by; `null`: the store has no links. */
  readonly identity: string | null;
}

export interface FolderEntry extends FileStatus {
  readonly name: string;
}

export interface OpenFile {
  /** `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Either `finish` or `abort` ends it. Of what is not finished a part may be seen under the path. */
export interface FileWriter {
  /** One after the other. The bytes belong to the writer until it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is durable when it resolves (P1), but for the name: see `syncFolder`. */
  finish(): Promise<void>;
  /** Ends it and removes what was written. Never rejects. */
  abort(): Promise<void>;
}

export type StorageFault =
  | 'absent'
  | 'exists'
  | 'denied'
  | 'full'
  | 'read-only'
  | 'unsupported'
  | 'other';

/** Why a call failed. The message says it for people, without the path where the caller knows that. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly fault: StorageFault;

  constructor(fault: StorageFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Whether an error says that a file or folder is not there. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof StorageError && error.fault === 'absent';
