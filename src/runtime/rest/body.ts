/**
 * Bodies of requests.
 *
 * B1  Reading one never destroys the request: with it the connection would go, and the answer.
 * B2  An answer to a request whose body is still on its way is sent in full, then the rest is thrown away
 *     for a while, then the connection is closed: a connection closed with unread input is reset, and the
 *     answer may be lost with it.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { HttpError } from './http-error.ts';

/** Deeper JSON is refused: what reads it later may recurse. */
const maxDepth = 256;
/** So much of an unread body is awaited on a connection that stays open. */
const smallBodyBytes = 64 * 1024;

/**
 * @param askForBody called before anything is read.
 * @throws HttpError 400 or 413.
 */
export async function readJson(
  incoming: IncomingMessage,
  maxBytes: number,
  askForBody: () => void,
): Promise<unknown> {
  const tooLarge = () => new HttpError(413, `The request body is larger than ${maxBytes} bytes.`);
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  askForBody();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(incoming)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return size === 0 ? {} : parseJson(Buffer.concat(chunks).toString('utf8'));
}

/** B1 */
const chunksOf = (incoming: IncomingMessage) =>
  incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;

/** A body as a stream that may be destroyed (B1). */
export function bodyStream(incoming: IncomingMessage): Readable {
  return Readable.from(chunksOf(incoming), { objectMode: false });
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'Request did not match expected format: it is not JSON.');
  }
  if (isDeeper(value, maxDepth)) {
    throw new HttpError(
      400,
      `Request did not match expected format: it is nested more than ${maxDepth} levels deep.`,
    );
  }
  return value;
}

function isDeeper(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((inner): unknown[] =>
      inner !== null && typeof inner === 'object' ? Object.values(inner) : [],
    );
  }
  return false;
}

/** Whether the rest of the body is so small that the connection can stay. */
export function isSmallRest({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= smallBodyBytes;
}

/** B2: until the body ends, the client is gone or the time is over. */
export async function drain(incoming: IncomingMessage, timeoutMs: number): Promise<void> {
  incoming.resume();
  const ended = finished(incoming, { writable: false, signal: AbortSignal.timeout(timeoutMs) });
  await ended.catch(() => {}); // nobody waits for what is thrown away
}
