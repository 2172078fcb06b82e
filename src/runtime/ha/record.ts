/** The cluster's record as the runtime reaches it: documents with compare-and-set. */
import type { RecordLocation } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import { readDocument, type Versioned, writeDocument } from '../../contract/file-documents.ts';

export interface ClusterRecord {
  /** Version 0 and `null` when there is none. */
  read<T>(name: string): Promise<Versioned<T>>;
  /** @returns the new version; `null` when the version is no longer `expected`, and nothing was written. */
  write(name: string, expected: number, value: unknown): Promise<number | null>;
}

/** @param redactor masks secrets in what is written. */
export function openRecord(location: RecordLocation, redactor?: Redactor): ClusterRecord {
  const { directory } = location;
  return {
    read: (name) => readDocument(directory, name),
    write: (name, expected, value) =>
      writeDocument(directory, name, expected, redactor?.maskJson(value) ?? value),
  };
}
