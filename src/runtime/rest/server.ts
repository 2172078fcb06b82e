/**
 * The HTTP server of a JobManager: Flink's REST API v1 and our extensions under `/fctl/v1`.
 *
 *     listening → closing (open requests end) → closed
 *
 * A request: target parsed, host, origin → route → token → leads → handler → answer rendered, encoded → sent
 *
 * R1  All but open routes needs the token or a session; this is checked before a body is read.
 * R2  Nothing waits for a client for ever: the head of a request has a limit, so has a body that is read
 *     into memory, and so has the silence of a connection.
 * R3  What is no HTTP gets an answer of the same form (A1), and costs one connection.
 * R4  After `close()` no socket is left, those of other protocols included.
 * R5  The address is known before the journal was read: until then all but early routes are answered 503, in
 *     Flink's words, which its clients repeat. Earlier jobs would seem to be unknown otherwise.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Redactor } from '../../contract/secrets.ts';
import type { ClusterView } from '../jobmanager/views/cluster-view.ts';
import type { Logger } from '../logging/logger.ts';
import { type Clock, systemClock } from '../../contract/clock.ts';
import {
  encodeAnswer,
  type RenderedAnswer,
  renderAnswer,
  renderError,
  renderRaw,
  send,
  withHeaders,
} from './answer.ts';
import { Authentication } from './authentication.ts';
import { bodyStream, readFiles, readForm, readJson } from './body.ts';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { fctlRoutes } from './fctl-routes.ts';
import { flinkRoutes } from './flink-routes.ts';
import {
  checkOrigin,
  createHostCheck,
  type HostCheck,
  parseTarget,
  type Source,
  type Target,
} from './guard.ts';
import { HttpError } from './http-error.ts';
import { loginPage, loginRoutes, wantsPage } from './login.ts';
import { createRouter, type Match, type RestAnswer } from './router.ts';

export interface RestServerOptions {
  readonly bind: string;
  /** 0: one that is free. */
  readonly port: number;
  /** `null`: no token is needed. */
  readonly token: string | null;
  /** A larger JSON body is answered 413. */
  readonly maxBodyBytes: number;
  readonly view: ClusterView;
  readonly logger: Logger;
  /** Masks secrets in JSON answers. */
  readonly redactor: Redactor;
  /** Names that the server is known by, beside its addresses and the machine's name. */
  readonly hosts?: readonly string[];
  /** Origins of other pages that may use the API. */
  readonly allowedOrigins?: readonly string[];
  /** Default: `defaultLimits`. */
  readonly limits?: Partial<RestLimits>;
  /** Of sessions and of wrong tokens. Default: the machine's. */
  readonly clock?: Clock;
}

export interface RestLimits {
  /** For the head of a request to arrive. */
  readonly headersTimeoutMs: number;
  /** How long a connection may be silent within a request; above the longest wait of a handler. */
  readonly silenceTimeoutMs: number;
  /** For a body that is read into memory. Uploads of bundles may take their time. */
  readonly bodyTimeoutMs: number;
  /** How long the rest of a body that nobody wants is read. */
  readonly drainTimeoutMs: number;
  /** How long `close()` waits for open requests. */
  readonly closeGraceMs: number;
}

const defaultLimits: RestLimits = {
  headersTimeoutMs: 10_000,
  silenceTimeoutMs: 90_000,
  bodyTimeoutMs: 60_000,
  drainTimeoutMs: 2000,
  closeGraceMs: 500,
};

export interface RestServer {
  /** RPC joins it by its `upgrade` event. */
  readonly server: Server;
  readonly port: number;
  /** Takes no more requests, lets open ones end for a moment, then closes every connection. */
  close(): Promise<void>;
}

/** Rejects when the port cannot be listened on (`EADDRINUSE`). */
export async function createRestServer(options: RestServerOptions): Promise<RestServer> {
  const rest = new HttpRestServer(options);
  await rest.listen();
  return rest;
}

class HttpRestServer implements RestServer {
  readonly server: Server;
  readonly #options: RestServerOptions;
  readonly #limits: RestLimits;
  readonly #sockets = new Set<Socket>();
  readonly #open = new Set<ServerResponse>();
  readonly #authentication: Authentication | null;
  readonly #match: (method: string, path: string) => Match | null;
  readonly #checkHost: HostCheck;
  #closing: Promise<void> | null = null;
  #idle: () => void = () => {};

  constructor(options: RestServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const { bind, clock = systemClock, hosts = [], logger, token } = options;
    this.#authentication = token === null ? null : new Authentication(token, clock, logger);
    this.#match = createRouter([
      ...flinkRoutes,
      ...fctlRoutes,
      ...loginRoutes(this.#authentication),
    ]);
    this.#checkHost = createHostCheck(bind, hosts);
    const { headersTimeoutMs, silenceTimeoutMs } = this.#limits;
    // R2. There is no limit for a whole request: the upload of a large bundle may take its time.
    this.server = createServer({
      headersTimeout: headersTimeoutMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
      requireHostHeader: false, // parseTarget() does, with an answer of our form
      // Clients that would like HTTP/2 ask to upgrade to it; they are answered as if they did not.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.server.timeout = silenceTimeoutMs;
    this.server.on('request', (incoming, response) => void this.#take(incoming, response, false));
    this.server.on(
      'checkContinue',
      (incoming, response) => void this.#take(incoming, response, true),
    );
    this.server.on('checkExpectation', (incoming, response) => {
      void this.#take(incoming, response, false);
    });
    this.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.server.on('clientError', (error, socket) => this.#refuse(error, socket));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    const { bind, logger, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, bind, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    // A connection that cannot be accepted, as when there are too many open files.
    this.server.on('error', (error) => logger.error('REST cannot take a connection', { error }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#limits.closeGraceMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const socket of this.#sockets) socket.destroy(); // R4
    await closed;
  }

  /** @param withheld whether the body comes only when it is asked for (`Expect: 100-continue`). */
  async #take(
    incoming: IncomingMessage,
    response: ServerResponse,
    withheld: boolean,
  ): Promise<void> {
    const started = performance.now();
    let bodyWithheld = withheld;
    const askForBody = () => {
      if (bodyWithheld) response.writeContinue();
      bodyWithheld = false;
    };
    this.#open.add(response);
    const answer = await this.#answer(incoming, askForBody);
    try {
      const isLast = this.#closing !== null;
      const { drainTimeoutMs } = this.#limits;
      await send(incoming, response, answer, { bodyWithheld, isLast, drainTimeoutMs });
    } catch {
      response.destroy(); // the client is gone, or a blob's file broke half-way
    }
    this.#open.delete(response);
    if (this.#open.size === 0) this.#idle();
    this.#options.logger.debug('request', {
      method: incoming.method,
      url: incoming.url,
      status: answer.status,
      ms: Math.round(performance.now() - started),
    });
  }

  async #answer(incoming: IncomingMessage, askForBody: () => void): Promise<RenderedAnswer> {
    const { allowedOrigins = [], redactor } = this.#options;
    const { headers, method = 'GET' } = incoming;
    let source: Source | null = null;
    let answer: RenderedAnswer;
    try {
      const target = parseTarget(incoming);
      this.#checkHost(target.host);
      source = checkOrigin(method, headers, target.host, allowedOrigins);
      const handled = await this.#handle(incoming, target, source, askForBody);
      answer = renderAnswer(handled, redactor);
    } catch (error) {
      answer = this.#explain(error, incoming);
    }
    const encoded = await encodeAnswer(answer, headers['accept-encoding']);
    return withHeaders(encoded, corsHeaders(source, allowedOrigins));
  }

  /** @throws HttpError */
  async #handle(
    incoming: IncomingMessage,
    { host, path, query }: Target,
    source: Source,
    askForBody: () => void,
  ): Promise<RestAnswer> {
    const { headers, method = 'GET', socket } = incoming;
    if (isPreflight(source, method, headers['access-control-request-method'])) {
      return { status: 200, text: '', contentType: 'text/plain', headers: preflightHeaders };
    }
    const client = socket.remoteAddress ?? '';
    const found = this.#match(method, path);
    const meant = found?.route.isCommand ? 'POST' : method;
    if (meant !== method) checkOrigin(meant, headers, host, this.#options.allowedOrigins ?? []);
    if (!found?.route.open) this.#authentication?.check({ method: meant, headers, source, client }); // R1
    if (found === null) throw new HttpError(404, `Not found: ${path}`);
    if (!this.#options.view.ready && !found.route.early) throw notLeading(); // R5
    const limits = {
      maxBytes: this.#options.maxBodyBytes,
      timeoutMs: this.#limits.bodyTimeoutMs,
    };
    return found.route.handle({
      view: this.#options.view,
      params: found.params,
      query,
      client,
      header: (name) => headers[name]?.toString(),
      json: () => readJson(incoming, limits, askForBody),
      form: () => readForm(incoming, limits, askForBody),
      files: () => readFiles(incoming, limits, askForBody),
      body: () => {
        askForBody();
        return bodyStream(incoming);
      },
    });
  }

  #explain(error: unknown, incoming: IncomingMessage): RenderedAnswer {
    const { headers, method = 'GET', url = '/' } = incoming;
    const { logger, redactor } = this.#options;
    const isForLogin = error instanceof HttpError && error.status === 401;
    if (isForLogin && wantsPage(method, url === '/' ? 'text/html' : headers.accept)) {
      const page = { status: 401, next: url, problem: null, headers: error.headers };
      return renderAnswer(loginPage(page), redactor);
    }
    const answer = renderError(error, redactor);
    const isOurs = answer.status >= 500 && !(error instanceof HttpError);
    // A body that ends too early throws, too, but there is nobody left to tell.
    if (isOurs && !incoming.socket.destroyed) {
      logger.error('a request failed', { method, url, error });
    }
    return answer;
  }

  /** R3. The connection ends here, but not before the answer could be read. */
  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const isAnswering = [...this.#open].some((response) => response.socket === socket);
    if (!socket.writable || isAnswering || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, message] = refusals[error.code ?? ''] ?? [400, 'Bad request, this is no HTTP.'];
    socket.end(renderRaw(status, message));
    setTimeout(() => socket.destroy(), this.#limits.drainTimeoutMs).unref();
  }
}

/** Flink's words of the same state. */
const notLeading = () =>
  new HttpError(
    503,
    'Service temporarily unavailable due to an ongoing leader election. Please refresh.',
    { 'retry-after': '1' },
  );

const refusals: Readonly<Record<string, readonly [number, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The head of the request is too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions of the request are too large.'],
};
