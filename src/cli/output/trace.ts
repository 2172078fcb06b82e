/** Tells with `--verbose` each request of HTTP (to JobManagers and container engines) and each SSH command. */
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { onCommand } from '../../contract/trace.ts';
import type { Report } from './report.ts';

const longest = 300;

/** From now on, until the process ends. */
export function trace(report: Report): void {
  const began = new WeakMap<ClientRequest, number>();
  const tell = (what: string, result: string, startedAt: number) => {
    const shown = what.length > longest ? `${what.slice(0, longest)}…` : what;
    report.detail(`${shown} → ${result} in ${Math.round(performance.now() - startedAt)} ms`);
  };
  const told = (request: ClientRequest, result: string) =>
    tell(describe(request), result, began.get(request) ?? performance.now());
  subscribe('http.client.request.start', (message) => {
    began.set((message as { request: ClientRequest }).request, performance.now());
  });
  subscribe('http.client.response.finish', (message) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    told(request, String(response.statusCode));
  });
  subscribe('http.client.request.error', (message) => {
    const { error, request } = message as { request: ClientRequest; error: Error };
    told(request, error.message);
  });
  onCommand(({ command, ended, where }) => {
    const startedAt = performance.now();
    const end = (result: string) => tell(`${where}: ${command}`, result, startedAt);
    ended.then(
      (code) => end(`exit code ${code}`),
      (error: unknown) => end((error as Error).message),
    );
  });
}

/** `GET http://127.0.0.1:8081/jobs`; through a socket that is a file only the path counts. */
function describe(request: ClientRequest): string {
  const { host, method, path, protocol } = request;
  const port = request.getHeader('host');
  return `${method} ${protocol}//${typeof port === 'string' ? port : host}${path}`;
}
