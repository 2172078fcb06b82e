/**
 * The record as the leading JobManager shows it, for processes that do not reach the place where it lies.
 * Only for reading, and not one snapshot: each document is asked for on its own.
 */
import type { Call } from '../../contract/call.ts';
import type { RecordDocumentResponse } from '../../contract/fctl-rest.ts';
import { DocumentName } from '../documents.ts';
import type { RecordReader, StoredDocument } from '../store.ts';

/** Asks for the JSON below a path; rejects when nobody answers, or answers with another status than 200. */
export type GetJson = (path: string, call: Partial<Call>) => Promise<unknown>;

/** What a JobManager shows. */
export const shownDocuments: readonly DocumentName[] = [
  DocumentName.endpoint,
  DocumentName.outcome,
  DocumentName.releases,
];

export function createHttpReader(getJson: GetJson): RecordReader {
  return {
    async read(names = shownDocuments, call = {}) {
      const found = new Map<string, StoredDocument>();
      const reads = names.map(async (name) => {
        const answer = await getJson(`/fctl/v1/record/${name}`, call);
        const { value, version } = answer as RecordDocumentResponse;
        if (version !== null) found.set(name, { value, version, ageMs: null });
      });
      await Promise.all(reads);
      return found;
    },
  };
}
