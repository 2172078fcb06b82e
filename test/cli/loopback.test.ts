/** A proxy of the environment is not asked for what is on this machine. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { reachLoopbackDirectly } from '../../src/cli/loopback.ts';

const module_ = resolve(import.meta.dirname, '../../src/cli/loopback.ts');

it('reaches a server on loopback straight, and others by the proxy', async () => {
  const server = createHttpServer((_request, answer) => answer.end('straight')).listen(
    0,
    '127.0.0.1',
  );
  let proxied = 0;
  const proxy = createServer((socket) => {
    proxied += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(proxy, 'listening')]);
  const portOf = (listening: typeof proxy) => (listening.address() as AddressInfo).port;
  const ask = (url: string) => `await fetch('${url}').then((a) => a.text(), () => 'no answer')`;
  const script = `import { reachLoopbackDirectly } from '${module_}';
    reachLoopbackDirectly(process.env);
    console.log(${ask(`http://127.0.0.1:${portOf(server as never)}`)});
    console.log(${ask('http://cluster.example')});`;
  const address = `http://127.0.0.1:${portOf(proxy)}`;
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { env: { PATH: process.env['PATH'], NODE_USE_ENV_PROXY: '1', http_proxy: address } },
    );
    expect(stdout).toBe('straight\nno answer\n');
    expect(proxied).toBeGreaterThan(0);
  } finally {
    server.close();
    proxy.close();
  }
});

it('keeps what the user excludes, and leaves alone who excludes everything', () => {
  const some: NodeJS.ProcessEnv = { NO_PROXY: 'intern.example' };
  reachLoopbackDirectly(some);
  expect(some['no_proxy']).toMatch(/^intern\.example,127\.0\.0\.1,/);
  const all: NodeJS.ProcessEnv = { no_proxy: '*' };
  reachLoopbackDirectly(all);
  expect(all).toEqual({ no_proxy: '*' });
});
