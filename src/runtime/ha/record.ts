/** The cluster's record as the runtime reaches it: documents with compare-and-set. */
import { type OutgoingHttpHeaders, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RecordDocumentResponse } from '../../contract/fctl-rest.ts';
import { DocumentName } from '../../record/documents.ts';
import { readDocument, type Versioned, writeDocument } from '../../record/file-documents.ts';
import { type RecordUrl, TOKEN_HEADER } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';

const timeoutMs = 5000;

/** What a TaskManager needs of the record. */
export interface RecordReader {
  /** Version 0 and `null` when there is none. */
  read<T>(name: string): Promise<Versioned<T>>;
}

export interface ClusterRecord extends RecordReader {
  /** @returns the new version; `null` when the version is no longer `expected`, and nothing was written. */
  write(name: string, expected: number, value: unknown): Promise<number | null>;
}

/**
 * The record where it lies.
 * @param redactor masks secrets in what jobs said. The endpoint is all ours, and must be reached.
 */
export function openRecord(url: RecordUrl, redactor?: Redactor): ClusterRecord {
  const directory = fileURLToPath(url);
  return {
    read: (name) => readDocument(directory, name),
    write: (name, expected, value) => {
      const isOurs = redactor === undefined || name === DocumentName.endpoint;
      return writeDocument(directory, name, expected, isOurs ? value : redactor.maskJson(value));
    },
  };
}

/** The record, for reading: where it lies, or as the JobManager shows it (`http:`). */
export function openRecordReader(url: RecordUrl, token: string | null): RecordReader {
  if (!url.startsWith('http:')) return openRecord(url);
  const headers = token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` };
  return {
    async read<T>(name: string): Promise<Versioned<T>> {
      const answer = await getJson(new URL(`/fctl/v1/record/${name}`, url), headers);
      const { value, version } = answer as RecordDocumentResponse;
      return { version, value: value as T | null, ageMs: null };
    },
  };
}

function getJson(url: URL, headers: OutgoingHttpHeaders): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (why: string) => reject(new Error(`${url.host} does not answer: ${why}`));
    const req = request(url, { headers, timeout: timeoutMs }, (response) => {
      response.on('error', (error) => failed(error.message));
      if (response.statusCode !== 200) {
        response.resume();
        return failed(`status ${response.statusCode}`);
      }
      json(response).then(resolve, (error: Error) => failed(error.message));
    });
    req.on('timeout', () => req.destroy(new Error('timeout')));
    req.on('error', (error) => failed(error.message));
    req.end();
  });
}
