/** The cluster's record as a process of the cluster reaches it. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DocumentName } from '../../record/documents.ts';
import { type RecordUrl, TOKEN_HEADER } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import { createFileStore } from '../../record/drivers/file.ts';
import { createHttpReader } from '../../record/drivers/http.ts';
import type { RecordReader, RecordStore } from '../../record/store.ts';

const timeoutMs = 5000;

/** Of our own, for it has no proxy: that of the environment is meant for operators. */
const agent = new Agent({ keepAlive: true });

/**
 * The record where it lies.
 * @param redactor masks secrets in what jobs said. The endpoint is all ours, and must be reached.
 */
export function openRecord(url: RecordUrl, redactor?: Redactor): RecordStore {
  const store = createFileStore(fileURLToPath(url));
  if (redactor === undefined) return store;
  return {
    ...store,
    write: (name, value, expected, call) => {
      const isOurs = name === DocumentName.endpoint;
      return store.write(name, isOurs ? value : redactor.maskJson(value), expected, call);
    },
  };
}

/** The record, for reading: where it lies, or as the JobManager shows it (`http:`). */
export function openRecordReader(url: RecordUrl, token: string | null): RecordReader {
  if (!url.startsWith('http:')) return openRecord(url);
  const headers = token === null ? {} : { [TOKEN_HEADER]: `Bearer ${token}` };
  return createHttpReader((path, { signal }) => getJson(new URL(path, url), headers, signal));
}

function getJson(
  url: URL,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (why: string) => reject(new Error(`${url.host} does not answer: ${why}`));
    const req = request(url, { headers, agent, timeout: timeoutMs, signal }, (response) => {
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
