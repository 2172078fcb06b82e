/**
 * The port to the record of a cluster: small JSON documents with compare-and-set, wherever they lie. The
 * client and the cluster's processes use the same drivers (drivers/), and ask record.ts what a record says.
 *
 * S1  `read` gives one snapshot: all documents as they were at one moment.
 * S2  Of several writes that expect the same version at most one succeeds, however long any of them takes.
 *     A writer that was overtaken never succeeds later.
 * S3  A write that succeeded is there after a power cut. A write that rejects may or may not have succeeded.
 */
import type { Call } from '../contract/call.ts';
import { ProviderError, problem } from '../contract/errors.ts';
import { formatBytes } from '../contract/units.ts';
import type { DocumentName } from './documents.ts';

/** Names one version of one document. Opaque: it is compared for equality only. */
export type Version = string;

export interface StoredDocument {
  /** A JSON object or array. */
  readonly value: unknown;
  readonly version: Version;
  /** How long ago it was written, by the clock of where it lies; `null`: nobody knows. */
  readonly ageMs: number | null;
}

/** The largest document, in bytes of its JSON: some platforms keep all of a record in an object of 1 MiB. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/** By name; documents that do not exist are absent. */
export type StoredDocuments = ReadonlyMap<string, StoredDocument>;

export interface RecordReader {
  /**
   * One snapshot (S1).
   * @param names default: all documents that the driver can read.
   * @throws ProviderError `record-damaged` (see `isRecordDamaged`) when one of them is no JSON document.
   */
  read(names?: readonly DocumentName[], call?: Partial<Call>): Promise<StoredDocuments>;
}

export interface RecordStore extends RecordReader {
  /** The largest document, in bytes of its JSON: `MAX_DOCUMENT_BYTES`. */
  readonly maxBytes: number;
  /**
   * Replaces a document, or makes it.
   * @param expected its version now; `null`: it must not be there.
   * @returns the new version; `null`: somebody was faster, and nothing was changed.
   * @throws ProviderError `document-too-large` for more than `maxBytes`, `record-full` (see `isRecordFull`)
   *   for want of space; nothing was changed then.
   */
  write(
    name: DocumentName,
    value: unknown,
    expected: Version | null,
    call?: Partial<Call>,
  ): Promise<Version | null>;
}

/** Called by drivers, before they write. @throws ProviderError `document-too-large`. */
export function checkSize(name: string, json: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return;
  throw new ProviderError(
    problem({
      code: 'document-too-large',
      message: `the document '${name}' of the cluster's record would have ${formatBytes(bytes)}, more than the ${formatBytes(maxBytes)} that a document may have`,
      hint: null,
    }),
  );
}

/**
 * The newest items of a list, as many as a document has room for. The last one stays in any case.
 * @param items oldest first.
 */
export function newestThatFit<T>(items: readonly T[], maxBytes: number): readonly T[] {
  let left = maxBytes - 1024; // for what is around the list
  let from = items.length;
  while (from > 0) {
    left -= Buffer.byteLength(JSON.stringify(items[from - 1])) + 1;
    if (left < 0 && from < items.length) break;
    from--;
  }
  return items.slice(from);
}

const damaged = 'record-damaged';

/** Whether the record is no longer what was written: a full disk, a hand, a failing device. */
export const isRecordDamaged = (error: unknown): error is ProviderError =>
  error instanceof ProviderError && error.problems[0]!.code === damaged;

const full = 'record-full';

/** Whether the record could not be written for want of space: what frees some has to work all the same. */
export const isRecordFull = (error: unknown): error is ProviderError =>
  error instanceof ProviderError && error.problems[0]!.code === full;

/**
 * What a driver throws in place of an error of its files that says that there is no space; others as they are.
 * @param place where it was written, for people.
 */
export function describeWriteError(error: unknown, place: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const space = problem({
    code: full,
    message: "the cluster's record cannot be written: the disk is full",
    file: place,
    hint: "free some space there: 'fctl prune' and 'fctl destroy' work on a full disk, too",
  });
  return new ProviderError(space, { cause: error });
}

/**
 * What the text of a document holds.
 * @param place where the text was read, for people.
 * @throws ProviderError `record-damaged`.
 */
export function parseDocument(text: string, place: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== 'object') throw new Error('it is no JSON object');
    return value;
  } catch (error) {
    const damage = problem({
      code: damaged,
      message: `a document of the cluster's record is damaged: ${(error as Error).message}`,
      file: place,
      hint: "'fctl destroy' ends and removes the cluster",
    });
    throw new ProviderError(damage, { cause: error });
  }
}
