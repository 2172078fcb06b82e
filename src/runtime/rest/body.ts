/**
 * Bodies of requests.
 *
 * B1  Reading one never destroys the request: with it the connection would go, and the answer.
 * B2  An answer to a request whose body is still on its way is sent in full, then the rest is thrown away
 *     for a while, then the connection is closed: a connection closed with unread input is reset, and the
 *     answer may be lost with it.
 * B3  What is read into memory has a limit of size and one of time: a byte now and then keeps nobody busy.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { HttpError } from './http-error.ts';

/** Deeper JSON is refused: what reads it later may recurse. */
const maxDepth = 256;
/** So much of an unread body is awaited on a connection that stays open. */
const smallBodyBytes = 64 * 1024;
const formType = 'application/x-www-form-urlencoded';
const maxFormBytes = 16 * 1024;

/** B3 */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * `{}` when there is none.
 * @param askForBody called before anything is read.
 * @throws HttpError 400, 408 or 413.
 */
export async function readJson(
  incoming: IncomingMessage,
  limits: BodyLimits,
  askForBody: () => void,
): Promise<unknown> {
  const text = await readText(incoming, limits, askForBody);
  return text === '' ? {} : parseJson(text);
}

/** The fields of a form as browsers send it. @throws HttpError 408, 413 or 415. */
export async function readForm(
  incoming: IncomingMessage,
  { maxBytes, timeoutMs }: BodyLimits,
  askForBody: () => void,
): Promise<URLSearchParams> {
  const type = incoming.headers['content-type'] ?? formType;
  if (type.split(';')[0]!.trim().toLowerCase() !== formType) {
    throw new HttpError(415, `This takes ${formType} only.`);
  }
  const limits = { maxBytes: Math.min(maxBytes, maxFormBytes), timeoutMs };
  return new URLSearchParams(await readText(incoming, limits, askForBody));
}

export interface UploadedFile {
  /** As the client calls it. */
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * The files of a `multipart/form-data` body; none when the body is of another type.
 * @throws HttpError 400, 408 or 413.
 */
export async function readFiles(
  incoming: IncomingMessage,
  limits: BodyLimits,
  askForBody: () => void,
): Promise<readonly UploadedFile[]> {
  const type = incoming.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(type)) return [];
  const bytes = await readBytes(incoming, limits, askForBody);
  // Node's own parser of forms, which takes them as answers.
  const form = new Response(bytes as Buffer<ArrayBuffer>, { headers: { 'content-type': type } });
  const fields = await form.formData().catch((error: unknown) => {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
    throw new HttpError(400, `Request did not match expected format multipart/form-data: ${why}`);
  });
  const files = [...fields.values()].filter((value) => typeof value !== 'string');
  return Promise.all(files.map(async (file) => ({ name: file.name, content: await file.bytes() })));
}

async function readText(
  incoming: IncomingMessage,
  limits: BodyLimits,
  askForBody: () => void,
): Promise<string> {
  return (await readBytes(incoming, limits, askForBody)).toString('utf8');
}

/** @throws HttpError 408 or 413. */
async function readBytes(
  incoming: IncomingMessage,
  { maxBytes, timeoutMs }: BodyLimits,
  askForBody: () => void,
): Promise<Buffer> {
  const tooLarge = () => new HttpError(413, `The request body is larger than ${maxBytes} bytes.`);
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  askForBody();
  const chunks: Buffer[] = [];
  let size = 0;
  const read = async () => {
    for await (const chunk of chunksOf(incoming)) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
  return withinTime(read(), timeoutMs);
}

/** What is late is left to itself; the answer closes its connection (B2). */
async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `The request body did not arrive within ${ms / 1000} s.`;
    late.reject(new HttpError(408, message, { connection: 'close' }));
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
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
