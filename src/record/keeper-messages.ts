/**
 * Client ↔ keeper: JSON lines over the streams of a container that has the volume of a cluster. The keeper
 * does there what must not be done half: compare-and-set of documents, and changes under a lock's epoch.
 *
 * All paths are relative to the volume. Versions are the numbers of the files of drivers/file.ts: the keeper
 * runs from the image of the cluster, which may be that of an older fctl than the client's.
 */
import type { Problem } from '../contract/errors.ts';
import type { StoredDocument } from './store.ts';

/** A small text file. */
export interface KeptFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** A document in the volume. */
export interface KeptDocument {
  /** 0: it is not there. */
  readonly version: number;
  readonly value: unknown;
  readonly ageMs: number | null;
}

export const toKept = (document: StoredDocument | undefined): KeptDocument =>
  document === undefined
    ? { version: 0, value: null, ageMs: null }
    : { ...document, version: Number(document.version) };

/** `null`: it is not there. */
export const fromKept = (kept: KeptDocument): StoredDocument | null =>
  kept.version === 0 ? null : { ...kept, version: String(kept.version) };

/** Request and answer by the name of the operation. */
export interface KeeperOperations {
  /** Documents of the record. */
  readonly read: {
    readonly request: { readonly names: readonly string[] };
    /** In the order of the names. */
    readonly answer: readonly KeptDocument[];
  };
  readonly write: {
    /** Version 0 is expected where there must be none. */
    readonly request: { readonly name: string; readonly expected: number; readonly value: unknown };
    /** The new version; `null`: somebody was faster. */
    readonly answer: number | null;
  };
  /** Removes and lays files, unless somebody took a newer lock than that of `fence`. */
  readonly lay: {
    readonly request: {
      readonly fence: number;
      /** Removed first, with all that is below. */
      readonly remove: readonly string[];
      readonly folders: readonly string[];
      readonly files: readonly KeptFile[];
    };
    readonly answer: null;
  };
  /** Names in a folder, sorted; none where there is no such folder. */
  readonly names: {
    readonly request: { readonly folder: string };
    readonly answer: readonly string[];
  };
  /** Removes a file, where there is one. */
  readonly remove: { readonly request: { readonly file: string }; readonly answer: null };
  /** SHA-256 of a file; `null`: it is not there. */
  readonly hash: { readonly request: { readonly path: string }; readonly answer: string | null };
  /** Gives a file its final name, if it holds what it should. Otherwise it is removed. */
  readonly publish: {
    readonly request: { readonly from: string; readonly to: string; readonly sha256: string };
    readonly answer: boolean;
  };
}

export type KeeperOperation = keyof KeeperOperations;

export interface KeeperRequest<O extends KeeperOperation = KeeperOperation> {
  readonly id: number;
  readonly operation: O;
  readonly request: KeeperOperations[O]['request'];
}

export type KeeperAnswer =
  | { readonly id: number; readonly answer: unknown }
  /** `problem`: what a user can mend, else a bug. */
  | {
      readonly id: number;
      readonly error: { readonly message: string; readonly problem: Problem | null };
    };
