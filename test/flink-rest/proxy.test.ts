/** A proxy of the environment never gets what goes to a JobManager: not from a client, nor from a TaskManager. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const source = (path: string) => resolve(import.meta.dirname, '../../src', path);

async function listening(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const hash = 'a'.repeat(64);

it.each([
  [
    'the REST client',
    'flink-rest/transport.ts',
    `(await m.exchange({ url, token: null, timeoutMs: 5000 }, { path: '/it', json: { a: 1 }, method: 'POST' })).body.said`,
    'POST /it {"a":1}',
  ],
  [
    'a TaskManager that fetches a bundle',
    'runtime/taskmanager/bundle-cache.ts',
    `JSON.parse((await (await m.httpBlobs(url, null)('${hash}')).toArray()).join('')).said`,
    `GET /fctl/v1/blobs/${hash} `,
  ],
  [
    'a process that reads the record',
    'runtime/ha/record.ts',
    `await m.openRecordReader(url + '/record/', null).read().then(() => 'read', (e) => e.message)`,
    'read',
  ],
])('%s', async (_who, module_, expression, said) => {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const answered = `${request.method} ${request.url} ${body}`;
      response.end(JSON.stringify({ said: answered, value: null, version: null }));
    });
  });
  const url = await listening(server);
  let proxied = 0;
  const proxy = createTcpServer((socket) => {
    proxied++;
    socket.destroy();
  });
  const proxyUrl = await listening(proxy);
  const script = `const url = '${url}'; const m = await import('${source(module_)}');
    const straight = ${expression};
    const byProxy = await fetch(url).then(() => 'straight', () => 'by the proxy');
    console.log(JSON.stringify([straight, byProxy])); process.exit()`;
  const env = { NODE_USE_ENV_PROXY: '1', http_proxy: proxyUrl, PATH: process.env['PATH'] };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env,
    timeout: 20_000,
  });
  // What the last one shows: the proxy is heeded where nothing is done about it.
  expect(JSON.parse(stdout)).toEqual([said, 'by the proxy']);
  expect(proxied).toBeGreaterThan(0);
});
