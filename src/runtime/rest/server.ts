/**
 * The HTTP server of a JobManager: Flink's REST API v1 and our extensions under `/fctl/v1`.
 *
 * R1  Every error is `{"errors":["…"]}`: Flink's clients repeat a request whose answer is anything else.
 * R2  All but `/fctl/v1/ready` needs the token, compared in constant time.
 * R3  A loopback server answers only requests for a loopback host, so that a page of another site cannot
 *     reach it through a name that resolves here (DNS rebinding).
 * R4  Bad input never gets a 500: what a request can cause is an HttpError.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { READY_PATH } from '../../contract/runtime-config.ts';
import type { ClusterView } from '../jobmanager/cluster-view.ts';
import { HttpError } from './http-error.ts';
import { type RestAnswer, createRouter } from './router.ts';
import { routes } from './routes.ts';

export interface RestServerOptions {
  readonly bind: string;
  /** 0: one that is free. */
  readonly port: number;
  /** `null`: no token is needed. */
  readonly token: string | null;
  /** A larger JSON body is answered 413. */
  readonly maxBodyBytes: number;
  readonly view: ClusterView;
}

export interface RestServer {
  readonly server: Server;
  readonly port: number;
  /** Takes no more requests and ends those that are open. */
  close(): Promise<void>;
}

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 120_000;
const match = createRouter(routes);

/** Rejects when the port cannot be listened on (`EADDRINUSE`). */
export async function createRestServer(options: RestServerOptions): Promise<RestServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (incoming, response) => {
    void answerRequest(options, incoming, response);
  });
  server.headersTimeout = headersTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.bind, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server),
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function answerRequest(
  options: RestServerOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: RestAnswer;
  try {
    answer = await handle(options, incoming);
  } catch (error) {
    answer = errorAnswer(error);
  }
  try {
    await send(incoming, response, answer);
  } catch {
    response.destroy(); // the client is gone, or a blob's file broke half-way
  }
}

async function handle(options: RestServerOptions, incoming: IncomingMessage): Promise<RestAnswer> {
  const url = parseUrl(incoming);
  checkHost(options, incoming);
  if (url.pathname !== READY_PATH) checkToken(options, incoming); // R2
  const method = incoming.method ?? 'GET';
  const found = match(method, url.pathname);
  if (found === null) throw new HttpError(404, `Not found: ${url.pathname}`);
  return found.route.handle({
    view: options.view,
    params: found.params,
    query: url.searchParams,
    incoming,
    json: () => readJson(incoming, options.maxBodyBytes),
  });
}

function parseUrl(incoming: IncomingMessage): URL {
  const target = incoming.url ?? '/';
  // `//overview` is a path here, as in Flink, not a host.
  const parsed = URL.parse(`http://jobmanager/${target.replace(/^\/+/, '')}`);
  if (parsed === null) throw new HttpError(400, 'Bad request, could not parse the path');
  return parsed;
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;

/** R3 */
function checkHost({ bind }: RestServerOptions, { headers }: IncomingMessage): void {
  const bindsLoopback = bind === 'localhost' || bind === '::1' || bind.startsWith('127.');
  if (bindsLoopback && headers.host !== undefined && !loopback.test(headers.host)) {
    throw new HttpError(
      403,
      'This JobManager listens on loopback and answers requests for it only.',
    );
  }
}

function checkToken({ token }: RestServerOptions, { headers }: IncomingMessage): void {
  if (token === null) return;
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  // Hashes have one length, as the comparison needs.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(
    401,
    given === undefined
      ? "This cluster needs its token: send 'Authorization: Bearer TOKEN', or use 'fctl proxy'."
      : 'This is not the token of the cluster.',
  );
}

async function readJson(incoming: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length;
    if (size > maxBytes)
      throw new HttpError(413, `The request body is larger than ${maxBytes} bytes.`);
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'Request did not match expected format: it is not JSON.');
  }
}

/** R4: anything but an HttpError is a bug of ours. */
function errorAnswer(error: unknown): RestAnswer {
  const status = error instanceof HttpError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  const errors = status === 500 ? ['Internal server error.', message] : [message];
  return { status, body: { errors } }; // R1
}

async function send(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: RestAnswer,
): Promise<void> {
  // A body that was not read to its end cannot be told apart from the next request.
  if (!incoming.complete && (answer.status >= 400 || incoming.method === 'PUT')) {
    response.setHeader('connection', 'close');
  }
  if ('file' in answer) {
    response.writeHead(answer.status, {
      'content-type': 'application/octet-stream',
      'content-length': answer.sizeBytes,
    });
    if (incoming.method === 'HEAD') response.end();
    else await pipeline(createReadStream(answer.file), response);
    return;
  }
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(incoming.method === 'HEAD' ? undefined : text);
}
