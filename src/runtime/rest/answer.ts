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
import { HttpError } from './http-error.ts';
import type { RestAnswer } from './router.ts';

const JSON_TYPE = 'application/json; charset=UTF-8';

/** An answer whose bytes are known, or lie in a file. */
export interface RenderedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly length: number;
  readonly content: { readonly text: string } | { readonly file: string };
}

export function renderAnswer(answer: RestAnswer, redactor: Redactor): RenderedAnswer {
  const { status } = answer;
  if ('file' in answer) {
    const { file, sizeBytes: length } = answer;
    return { status, contentType: 'application/octet-stream', length, content: { file } };
  }
  const json = JSON.stringify(answer.body);
  const text = answer.verbatim ? json : redactor.mask(json);
  return { status, contentType: JSON_TYPE, length: Buffer.byteLength(text), content: { text } };
}

/** A1 */
export function renderError(error: unknown, redactor: Redactor): RenderedAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  const errors = status === 500 ? ['Internal server error.', message] : [message];
  return renderAnswer({ status, body: { errors } }, redactor);
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
  { status, contentType, length, content }: RenderedAnswer,
  { bodyWithheld, drainTimeoutMs, isLast }: SendOptions,
): Promise<void> {
  const endless = !incoming.complete && (bodyWithheld || !isSmallRest(incoming));
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': length,
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(endless || isLast ? { connection: 'close' } : {}),
  });
  const hasBody = incoming.method !== 'HEAD';
  if ('file' in content) {
    if (hasBody) return pipeline(createReadStream(content.file), response);
    response.end();
  } else if (endless && !bodyWithheld) {
    // All of the answer, but not its end, which closes the connection.
    response.write(hasBody ? content.text : '');
    await drain(incoming, drainTimeoutMs);
    response.end();
  } else {
    response.end(hasBody ? content.text : undefined);
  }
  await finished(response);
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
