/** `fctl proxy`: a cluster's REST API on loopback, with the token added. Ends with Ctrl-C. */
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClusterError, ProviderError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { Provider, ReachableEndpoint } from '../../providers/provider.ts';
import type { CommonOptions, Context } from '../context.ts';

interface ProxyFlags extends CommonOptions {
  readonly port?: string;
}

export async function run(context: Context<ProxyFlags>, named: string | undefined): Promise<void> {
  const { options, report, signal } = context;
  const clusterId = await context.clusterId(named);
  const provider = await context.provider();
  if ((await provider.inspect(clusterId)) === null) throw noSuchCluster(clusterId);
  const endpoint = await running(provider, clusterId);
  const server = createServer((incoming, answer) => forward(endpoint, incoming, answer));
  await listen(server, port(options.port));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  report.result({ clusterId, url }, () => `${clusterId} is at ${url}`);
  report.message('Ctrl-C ends the proxy; the cluster goes on.');
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function running(provider: Provider, clusterId: string): Promise<ReachableEndpoint> {
  const observed = await provider.inspect(clusterId);
  const alive = observed?.processes.some((p) => p.role === 'jobmanager' && p.status === 'running');
  const endpoint = await provider.endpoint(clusterId);
  if (alive && endpoint !== null) return endpoint;
  throw new ClusterError(
    ExitCode.conflict,
    problem({ code: 'not-running', message: `cluster ${clusterId} has no running JobManager` }),
  );
}

function port(text: string | undefined): number {
  const number = text === undefined ? 0 : Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new UsageError(problem({ code: 'not-a-port', message: `--port ${text} is not a port` }));
}

async function listen(server: ReturnType<typeof createServer>, number: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'EADDRINUSE' ? `port ${number} is taken` : `cannot listen: ${error.message}`;
      reject(
        new ProviderError(problem({ code: 'port-taken', message, hint: 'choose another --port' })),
      );
    });
    server.listen(number, '127.0.0.1', resolve);
  });
}

/**
 * A page of another site must not reach the cluster with the token that this proxy adds: only requests
 * for this host, and, where a browser says where they come from, from this host, are forwarded.
 */
function isOurs(incoming: IncomingMessage): boolean {
  const { host, origin } = incoming.headers;
  const local = `:${incoming.socket.localPort}`;
  const names = [`127.0.0.1${local}`, `localhost${local}`];
  const originIsOurs = origin === undefined || names.some((name) => origin === `http://${name}`);
  return host !== undefined && names.includes(host) && originIsOurs;
}

function forward(
  endpoint: ReachableEndpoint,
  incoming: IncomingMessage,
  answer: ServerResponse,
): void {
  const refuse = (status: number, text: string) => {
    answer.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
    answer.end(JSON.stringify({ errors: [text] }));
  };
  if (!isOurs(incoming)) return refuse(403, 'This proxy serves its own host only.');
  const target = new URL(endpoint.url);
  const headers = { ...incoming.headers, host: target.host };
  delete headers.origin;
  if (endpoint.token !== null) headers.authorization = `Bearer ${endpoint.token}`;
  const outgoing = request(
    {
      host: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers,
    },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    },
  );
  outgoing.on('error', (error) => {
    if (answer.headersSent) answer.destroy();
    else refuse(502, `The JobManager at ${endpoint.url} does not answer: ${error.message}`);
  });
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
