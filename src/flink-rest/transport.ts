/**
 * One request to a JobManager and its answer; whatever goes wrong is a RestError.
 *
 * T1  A JobManager that does not lead yet says when to ask again (503 and `retry-after`). It is asked again
 *     by then, within the time that the call may take; at first sooner, for it mostly leads a moment later,
 *     and seconds are the finest that HTTP can say.
 * T2  It is asked straight, whatever proxy the environment names: a cluster is on this machine, behind a tunnel
 *     or on a network of the user's own. Agents of our own have no proxy.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorAnswer } from '../contract/rest.ts';
import { retryAfterMs } from '../contract/retry-after.ts';
import { findShapeProblem, type Shape } from './shape.ts';

export interface RestClientOptions {
  /** `http://127.0.0.1:8081`; may have a path, as behind a proxy. */
  readonly url: string;
  /** `null`: none is sent. */
  readonly token: string | null;
  /** Of one request. */
  readonly timeoutMs: number;
  /** Ends every request; they reject with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * A request that failed. The message is the server's own, where it said something, else it names the URL.
 */
export class RestError extends Error {
  /** `null`: there was no answer. */
  readonly status: number | null;
  /** What the server said, in full: a real Flink adds the stack. */
  readonly details: readonly string[];

  constructor(
    message: string,
    status: number | null,
    options: ErrorOptions & { readonly details?: readonly string[] } = {},
  ) {
    super(message, options);
    this.name = 'RestError';
    this.status = status;
    this.details = options.details ?? [];
  }
}

export interface RestCall {
  readonly method?: string;
  /** With `/` in front, encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Added to the time limit: how long the server may wait by itself. */
  readonly waitMs?: number;
}

export interface RestResponse {
  readonly status: number;
  /** `{}` when there is none. */
  readonly body: unknown;
}

/** Joins encoded segments: `path('jobs', id)` is `/jobs/…`. */
export const path = (...segments: readonly string[]): string =>
  segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');

/** The answer's body, checked against a shape. */
export async function read<T>(
  options: RestClientOptions,
  call: RestCall,
  shape: Shape,
): Promise<T> {
  const { status, body } = await exchange(options, call);
  const problem = findShapeProblem(body, shape);
  if (problem === null) return body as T;
  throw new RestError(`the answer of ${addressOf(options, call)}: ${problem}`, status);
}

/** Rejects also when the status says that it failed. */
export async function exchange(options: RestClientOptions, call: RestCall): Promise<RestResponse> {
  const address = addressOf(options, call);
  const { status, text, location } = await fetchWhenLeading(options, call, address);
  const body = parse(text);
  if (status >= 300) throw refusal(address, status, body, location);
  if (body === undefined) {
    throw new RestError(`${address} answers ${status} with something that is not JSON`, status);
  }
  return { status, body };
}

const addressOf = ({ url }: RestClientOptions, call: RestCall) =>
  `${url.replace(/\/+$/, '')}${call.path}`;

/** T1 */
const firstPauseMs = 20;

/** T1 */
async function fetchWhenLeading(
  options: RestClientOptions,
  call: RestCall,
  address: string,
): Promise<TextAnswer> {
  const { signal, timeoutMs } = options;
  const end = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const answer = await fetchText(options, call, address);
    if (answer.retryAfterMs === null) return answer;
    const waitMs = Math.min(pauseMs, answer.retryAfterMs);
    if (performance.now() + waitMs > end) return answer;
    await delay(waitMs, undefined, { signal });
  }
}

interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  /** `null`: it is not to be asked again. */
  readonly retryAfterMs: number | null;
}

async function fetchText(
  { token, timeoutMs, signal }: RestClientOptions,
  { method = 'GET', json, waitMs = 0 }: RestCall,
  address: string,
): Promise<TextAnswer> {
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(timeoutMs + waitMs);
  try {
    const body = json === undefined ? null : JSON.stringify(json);
    const answer = await send(address, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === null ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      },
      body,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const text = await textOf(answer);
    const { headers, statusCode: status = 0 } = answer;
    const again = retryAfterMs(status, headers['retry-after'] ?? null);
    return { status, text, location: headers.location ?? null, retryAfterMs: again };
  } catch (error) {
    signal?.throwIfAborted();
    throw noAnswer(address, error as Error, limit.aborted ? timeoutMs + waitMs : null);
  }
}

/** T2 */
const agent = new Agent({ keepAlive: true });

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

/** Redirections are not followed: the token is for this server alone. @returns the answer, not yet read. */
async function send(address: string, { body, ...options }: Sent): Promise<IncomingMessage> {
  const isSecure = address.startsWith('https:');
  const https = isSecure ? await import('node:https') : null;
  const sent = https
    ? https.request(address, { ...options, agent: new https.Agent() }) // T2
    : request(address, { ...options, agent });
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

/** @param afterMs the time limit, when that was the reason. */
function noAnswer(address: string, error: Error, afterMs: number | null): RestError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const why = cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name);
  const text = afterMs === null ? `: ${why}` : ` within ${afterMs} ms`;
  return new RestError(`${address} does not answer${text}`, null, { cause: error });
}

/** `undefined`: it is no JSON. */
function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(address: string, status: number, body: unknown, location: string | null) {
  const errors = (body as Partial<ErrorAnswer> | null | undefined)?.errors;
  const details = Array.isArray(errors) ? errors.map(String) : [];
  const said = details.map(headline).filter((text) => text !== '');
  const elsewhere = location === null ? '' : `: it redirects to ${location}`;
  const message = said.at(-1) ?? `${address} answers ${status}${elsewhere}`;
  return new RestError(message, status, { details });
}

/** What a person wants to know of a Java stack trace: `Job could not be found.` */
function headline(error: string): string {
  const [first = ''] = error.replace(/^<Exception on server side:\s*/, '').split(/\n\s*at /, 1);
  return first.replace(/^(?:(?:[\w$]+\.)+[\w$]*(?:Exception|Error): *)+/, '').trim();
}
