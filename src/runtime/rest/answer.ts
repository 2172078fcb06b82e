/**
 * From what a handler returns or throws to what is sent.
 *
 * A1  Every error is `{"errors":["…"]}`: Flink's clients repeat a request whose answer is anything else.
 * A2  Bad input never gets a 500: what a request can cause is an HttpError.
 */
import { createReadStream } from 'node:fs';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import type { Redactor } from '../../contract/secrets.ts';
import { drain, isSmallRest } from './body.ts';
import { encode } from './encoding.ts';
import { HttpError } from './http-error.ts';
import type { RestAnswer } from './router.ts';

const JSON_TYPE = 'application/json; charset=UTF-8';

/** An answer whose bytes are known, or lie in a file. */
export interface RenderedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly content: { readonly bytes: Buffer } | { readonly file: string };
}

/** For every answer: a browser takes its type as it is said. */
const plainHeaders = { 'x-content-type-options': 'nosniff' };

export function renderAnswer(answer: RestAnswer, redactor: Redactor): RenderedAnswer {
  const { status } = answer;
  const rendered = (
    contentType: string,
    length: number,
    content: RenderedAnswer['content'],
    more: Readonly<Record<string, string>> = {},
  ): RenderedAnswer => {
    const size = { 'content-type': contentType, 'content-length': length };
    return { status, headers: { ...plainHeaders, ...size, ...more }, content };
  };
  if ('file' in answer) {
    const { file, sizeBytes } = answer;
    return rendered('application/octet-stream', sizeBytes, { file });
  }
  if ('text' in answer) {
    const bytes = Buffer.from(answer.verbatim ? answer.text : redactor.mask(answer.text));
    return rendered(answer.contentType, bytes.length, { bytes }, answer.headers);
  }
  const { body, verbatim } = answer;
  const bytes = Buffer.from(verbatim ? JSON.stringify(body) : redactor.stringify(body));
  return rendered(JSON_TYPE, bytes.length, { bytes });
}

/** Compressed where the client understands it and it is worth it. Files are sent as they are. */
export async function encodeAnswer(
  answer: RenderedAnswer,
  acceptEncoding: string | undefined,
): Promise<RenderedAnswer> {
  if ('file' in answer.content) return answer;
  const { bytes, headers } = await encode(answer.content.bytes, acceptEncoding);
  const length = { 'content-length': bytes.length };
  return { ...answer, headers: { ...answer.headers, ...length, ...headers }, content: { bytes } };
}

/** Adds headers; values of `vary` add up. */
export function withHeaders(
  answer: RenderedAnswer,
  more: Readonly<Record<string, string>>,
): RenderedAnswer {
  const vary = [answer.headers['vary'], more['vary']].filter((value) => value !== undefined);
  const headers = { ...answer.headers, ...more };
  return { ...answer, headers: vary.length > 0 ? { ...headers, vary: vary.join(', ') } : headers };
}

/** A1 */
export function renderError(error: unknown, redactor: Redactor): RenderedAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  const errors = status === 500 ? ['Internal server error.', message] : [message];
  const answer = renderAnswer({ status, body: { errors } }, redactor);
  return error instanceof HttpError ? withHeaders(answer, error.headers) : answer;
}

/** A2: 500 is a bug of ours, or the machine's trouble. */
function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOSPC' ? 507 : 500;
}

export interface SendOptions {
  /** The client sends the body only when it is told to, and it was not. */
  readonly bodyWithheld: boolean;
  /** No more requests are taken from this connection. */
  readonly isLast: boolean;
  readonly drainTimeoutMs: number;
}

/** Rejects when the client is gone, or when a file breaks half-way. */
export async function send(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, headers, content }: RenderedAnswer,
  { bodyWithheld, drainTimeoutMs, isLast }: SendOptions,
): Promise<void> {
  const endless = !incoming.complete && (bodyWithheld || !isSmallRest(incoming));
  response.writeHead(status, {
    ...headers,
    ...(endless || isLast ? { connection: 'close' } : {}),
  });
  const hasBody = incoming.method !== 'HEAD';
  if ('file' in content) {
    if (hasBody) return pipeline(createReadStream(content.file), response);
    response.end();
  } else if (endless && !bodyWithheld) {
    // All of the answer, but not its end, which closes the connection.
    response.write(hasBody ? content.bytes : '');
    await drain(incoming, drainTimeoutMs);
    response.end();
  } else {
    response.end(hasBody ? content.bytes : undefined);
  }
  await finished(response);
  if (incoming.complete) return;
  await drain(incoming, drainTimeoutMs);
  if (!incoming.complete) incoming.destroy(); // B2
}

/** For input that is no HTTP request: the whole answer as text. */
export function renderRaw(status: number, message: string): string {
  const body = JSON.stringify({ errors: [message] });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
