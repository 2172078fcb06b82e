/**
 * A cluster's REST API on loopback: every request gets the token and goes on to the JobManager. With the
 * files of a Web UI, these are served before it.
 *
 *     listening → closed (every connection with it)
 *
 * A request: host, origin → file? → JobManager found → connected → body and answer streamed
 *
 * P1  Whatever a browser was made to send by another site goes nowhere: this proxy holds the token.
 *     Therefore only requests for its own host, from pages of its own, or from no page, are taken. What a
 *     browser says of the page goes on: by a link from elsewhere the JobManager is read, and told nothing.
 * P2  Cookies and credentials of the client stay here.
 * P3  Nothing is sent before there is a connection, so that a request whose JobManager has moved can go
 *     to where it is now, whatever it does.
 * P4  An error of the proxy has the form of all errors, `{"errors":["…"]}`: Flink's clients show it.
 */
import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FctlError } from '../../contract/errors.ts';
import type { ClusterConnection } from '../../providers/provider.ts';
import { type FindFile, sendFile } from './static-files.ts';
import type { Target } from './target.ts';

const address = '127.0.0.1';

export interface ProxyOptions {
  /** 0: one that is free. */
  readonly port: number;
  readonly target: Target;
  /** `null`: there are no files. */
  readonly findFile: FindFile | null;
}

export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects when the port cannot be listened on. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  // The upload of a large bundle may take its time.
  const server = createServer({ requestTimeout: 0 }, (incoming, answer) => {
    void serve(options, incoming, answer);
  });
  server.listen(options.port, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://${address}:${port}`, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

async function serve(
  { findFile, target }: ProxyOptions,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  try {
    if (!isOurs(incoming)) return refuse(answer, 403, 'This proxy serves its own pages only.');
    const { method, url = '/' } = incoming;
    const isRead = method === 'GET' || method === 'HEAD';
    const file = isRead ? (findFile?.(url.split('?')[0]!) ?? null) : null;
    if (file === null) await forward(target, incoming, answer);
    else await sendFile(file, incoming, answer);
  } catch (error) {
    if (answer.headersSent) answer.destroy();
    else refuse(answer, 502, describe(error));
  }
}

const describe = (error: unknown) =>
  error instanceof FctlError
    ? error.problems
        .map(({ hint, message }) => (hint ? `${message} (${hint})` : message))
        .join('\n')
    : `the proxy cannot serve this: ${(error as Error).message}`;

/** P4 */
function refuse(answer: ServerResponse, status: number, message: string): void {
  const headers = { 'content-type': 'application/json; charset=UTF-8', connection: 'close' };
  answer.writeHead(status, headers).end(JSON.stringify({ errors: [message] }));
}

/** P1. A link from another site may be opened: it reads, and that site does not see what. */
function isOurs({ headers, method, socket }: IncomingMessage): boolean {
  const { host, origin, 'sec-fetch-mode': mode, 'sec-fetch-site': site } = headers;
  const names = [address, 'localhost'].flatMap((name) =>
    socket.localPort === 80 ? [name, `${name}:80`] : `${name}:${socket.localPort}`,
  );
  if (host === undefined || !names.includes(host.toLowerCase())) return false;
  if (origin !== undefined) return names.some((name) => origin === `http://${name}`);
  if (site === undefined || site === 'none' || site === 'same-origin') return true;
  return mode === 'navigate' && (method === 'GET' || method === 'HEAD');
}

async function forward(
  target: Target,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { endpoint, socket } = await reach(target);
  if (answer.destroyed) socket.destroy();
  answer.once('close', () => socket.destroy());
  const { method, url: path } = incoming;
  const headers = forwarded(incoming.headers, endpoint);
  const outgoing = request({ createConnection: () => socket, method, path, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    // Later ones are errors of a body that the JobManager did not wait for.
    outgoing.on('error', (error) => reject(broken(endpoint, error)));
  });
  incoming.pipe(outgoing);
  const response = await answered;
  const { statusCode = 502, statusMessage } = response;
  answer.writeHead(statusCode, statusMessage, withoutHops(response.headers));
  await pipeline(response, answer);
  incoming.unpipe(outgoing).resume(); // what of the body the JobManager did not want
}

function broken({ url }: ClusterConnection, { message }: Error): Error {
  return new Error(`the JobManager at ${url} did not answer: ${message}`);
}

/** P3. @throws FctlError when the cluster is gone. */
async function reach(
  target: Target,
): Promise<{ readonly endpoint: ClusterConnection; readonly socket: Duplex }> {
  const first = await target.find();
  try {
    return { endpoint: first, socket: await target.dial(first) };
  } catch {
    const endpoint = await target.findAgain(first);
    return { endpoint, socket: await target.dial(endpoint) };
  }
}

/** Headers about one connection (RFC 9110, 7.6.1), and those that the far end must not see. P2 */
const hops = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];
const withheld = ['authorization', 'cookie', 'expect', 'origin', 'proxy-authorization', 'referer'];

function withoutHops(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const left: OutgoingHttpHeaders = { ...headers };
  const named = headers.connection?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
  for (const name of [...hops, ...named]) delete left[name];
  return left;
}

/** A body without a length stays in chunks: `transfer-encoding` tells the client of Node.js so. */
function forwarded(headers: IncomingHttpHeaders, endpoint: ClusterConnection): OutgoingHttpHeaders {
  const left = withoutHops(headers);
  for (const name of Object.keys(left)) {
    if (withheld.includes(name)) delete left[name];
  }
  const { token, url } = endpoint;
  const bearer = token === null ? {} : { authorization: `Bearer ${token}` };
  return { ...left, ...bearer, host: new URL(url).host, connection: 'close' };
}
