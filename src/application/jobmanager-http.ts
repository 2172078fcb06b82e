/** One request to a JobManager and its answer, for the process of `main()` and for uploads. */
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TOKEN_HEADER } from '../contract/runtime-config.ts';

export interface JobManagerTarget {
  readonly restUrl: string;
  readonly token: string | null;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly content?: { readonly stream: Readable; readonly sizeBytes: number };
  /** The connection may be silent for so long. Default: for ever. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `null`: it is not JSON, or empty. */
  readonly body: unknown;
}

/** There was no answer. */
export class NoAnswerError extends Error {}

/** Flink's form of errors: `{ "errors": ["…"] }`. */
export function messageOf({ body }: Answer): string | null {
  const errors = (body as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) && typeof errors[0] === 'string' ? errors[0] : null;
}

/**
 * Rejects with a NoAnswerError, with what reading `content` fails with, or with the signal's reason. What is
 * left of `content` when the answer comes is not sent.
 */
export function ask(agent: Agent, target: JobManagerTarget, question: Question): Promise<Answer> {
  const { content, method, path, signal, silenceMs = 0 } = question;
  const payload = question.body === undefined ? null : Buffer.from(JSON.stringify(question.body));
  const headers = {
    ...question.headers,
    ...(target.token === null ? {} : { [TOKEN_HEADER]: `Bearer ${target.token}` }),
    ...(payload === null
      ? {}
      : { 'content-type': 'application/json', 'content-length': payload.length }),
    ...(content === undefined ? {} : { 'content-length': content.sizeBytes }),
  };
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const sent = request(new URL(path, target.restUrl), { method, agent, headers });
    const stop = () => {
      reject(signal!.reason as Error);
      sent.destroy();
    };
    signal?.addEventListener('abort', stop, { once: true });
    sent.once('close', () => signal?.removeEventListener('abort', stop));
    sent.setTimeout(silenceMs, () => sent.destroy(new Error('the connection is silent')));
    sent.on('error', (error) => reject(noAnswer(target, error)));
    sent.once('response', (response) => {
      readJson(response)
        .then((body) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
          if (!sent.writableFinished) sent.destroy();
        })
        .catch((error: Error) => reject(noAnswer(target, error)));
    });
    if (content === undefined) sent.end(payload);
    else send(content.stream, sent, reject);
  });
}

/** @param failed is told what reading fails with; trouble of the connection is told by the request. */
function send(
  stream: Readable,
  sent: ReturnType<typeof request>,
  failed: (error: Error) => void,
): void {
  stream.once('error', (error) => {
    if (!sent.destroyed) failed(error);
  });
  pipeline(stream, sent).catch(() => {});
}

function noAnswer({ restUrl }: JobManagerTarget, error: Error): NoAnswerError {
  const message = `the JobManager at ${restUrl} does not answer: ${error.message}`;
  return new NoAnswerError(message, { cause: error });
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk as string;
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
