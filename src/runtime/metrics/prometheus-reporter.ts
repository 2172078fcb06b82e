/**
 * Answers Prometheus with the metrics of this process, at `/metrics` on a port of its own.
 *
 * R1  It disturbs nothing: whatever is asked, and however slowly the answer is read, costs at most `maxConnections`
 *     and a text for each. One on which nothing moves for `patienceMs` is closed. It keeps no process alive.
 * R2  Without a free port the process runs on; it looks again every `retryMs`. That, and a text that cannot be made,
 *     is said once, until it has worked again.
 * R3  Who asks more often than every `freshMs` gets the same text.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../contract/clock.ts';
import type { PrometheusReporterConfig } from '../../contract/runtime-config.ts';
import type { Redactor } from '../../contract/secrets.ts';
import type { Logger } from '../logging/logger.ts';
import { contentTypes, type PrometheusFormat, prometheusText } from './prometheus-text.ts';
import { type Measured, samplesOf } from './samples.ts';

const patienceMs = 10_000;
const retryMs = 30_000;
const freshMs = 250;
const maxConnections = 16;

export interface ReporterContext {
  /** Address that it listens on. */
  readonly bind: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redactor: Redactor;
  /** Everything in this process that has metrics. */
  readonly measure: () => readonly Measured[];
}

interface Text {
  readonly madeAt: number;
  readonly body: string;
}

export class PrometheusReporter {
  readonly #config: PrometheusReporterConfig;
  readonly #context: ReporterContext;
  readonly #texts = new Map<PrometheusFormat, Text>();
  #server: Server | null = null;
  #prevent: () => void = () => {};
  #isClosed = false;
  /** R2 */
  readonly #said = new Set<string>();

  /** Begins to listen. */
  constructor(config: PrometheusReporterConfig, context: ReporterContext) {
    this.#config = config;
    this.#context = context;
    void this.#listen();
  }

  /** `null`: it has none yet. */
  get port(): number | null {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port ?? null;
  }

  close(): void {
    this.#isClosed = true;
    this.#prevent();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  /** The first port of the range that is free. */
  async #listen(): Promise<void> {
    const { bind, clock, logger } = this.#context;
    const { from, to } = this.#config;
    let problem: Error | null = null;
    for (let port = from; port <= to && !this.#isClosed; port++) {
      const server = await open(bind, port, (request, response) => this.#answer(request, response));
      if (server instanceof Error) {
        problem = server;
        continue;
      }
      if (this.#isClosed) return void server.close();
      this.#server = server;
      this.#said.clear();
      logger.info('metrics are there for Prometheus', { address: bind, port: this.port });
      return;
    }
    if (this.#isClosed) return;
    const ports = from === to ? `port ${from}` : `ports ${from} to ${to}`;
    const why = problem === null ? '' : `: ${problem.message}`;
    this.#sayOnce(
      `no metrics for Prometheus: ${ports} on ${bind} cannot be had${why}. It is tried again every ${retryMs / 1000} s`,
    );
    this.#prevent = clock.after(retryMs, () => void this.#listen());
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const path = request.url?.split('?', 1)[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || (path !== '/metrics' && path !== '/')) {
      response.writeHead(isRead ? 404 : 405).end();
      return;
    }
    const accepted = request.headers.accept ?? '';
    const format = accepted.includes('application/openmetrics-text') ? 'openmetrics' : 'text';
    const body = this.#text(format);
    if (body === null) {
      response.writeHead(500).end();
      return;
    }
    response
      .writeHead(200, {
        'content-type': contentTypes[format],
        'content-length': Buffer.byteLength(body),
      })
      .end(request.method === 'HEAD' ? undefined : body);
  }

  /** R3. `null`: it cannot be made. */
  #text(format: PrometheusFormat): string | null {
    const { clock, measure, redactor } = this.#context;
    const now = clock.monotonic();
    const last = this.#texts.get(format);
    if (last !== undefined && now - last.madeAt < freshMs) return last.body;
    try {
      const body = prometheusText(samplesOf(measure()), format, (text) => redactor.mask(text));
      this.#texts.set(format, { madeAt: now, body });
      this.#said.clear();
      return body;
    } catch (error) {
      this.#sayOnce(`the metrics for Prometheus cannot be told: ${(error as Error).message}`);
      return null;
    }
  }

  #sayOnce(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#context.logger.warn(message);
  }
}

/** One for each that is configured. */
export const startReporters = (
  configs: readonly PrometheusReporterConfig[] = [],
  context: ReporterContext,
): PrometheusReporter[] => configs.map((config) => new PrometheusReporter(config, context));

/** R1. Resolves to the error where it cannot listen. */
function open(
  bind: string,
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server | Error> {
  const server = createServer(
    { requestTimeout: patienceMs, headersTimeout: patienceMs, keepAliveTimeout: patienceMs },
    answer,
  );
  server.maxConnections = maxConnections;
  server.setTimeout(patienceMs, (socket) => socket.destroy());
  server.unref();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, bind, () => {
      server.removeListener('error', resolve);
      server.on('error', () => {});
      resolve(server);
    });
  });
}
