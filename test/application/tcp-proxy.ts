/** A TCP proxy before a server, which counts what clients send and can cut connections while they do. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpProxy {
  readonly url: string;
  /** Bytes passed on to the server, by connection. */
  readonly passed: readonly number[];
  /** Where the next connections are cut, one after the other: after so many bytes. Then none is. */
  cutAfter(...bytes: number[]): void;
  /** The next connection passes on so many bytes, and then nothing more, without being closed. */
  stallAfter(bytes: number): void;
}

export async function tcpProxy(port: number): Promise<TcpProxy> {
  const passed: number[] = [];
  const limits: { readonly bytes: number; readonly what: 'cut' | 'stall' }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const index = passed.push(0) - 1;
    const limit = limits.shift() ?? { bytes: Infinity, what: 'cut' };
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    upstream.pipe(client);
    client.on('close', () => limit.what === 'cut' && upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (data) => {
      const rest = data.subarray(0, limit.bytes - passed[index]!);
      passed[index]! += rest.length;
      const isDrained = upstream.write(rest);
      if (passed[index] === limit.bytes) {
        client.pause();
        if (limit.what === 'cut') upstream.end(() => client.destroy());
      } else if (!isDrained) {
        client.pause();
        upstream.once('drain', () => client.resume());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    cutAfter: (...bytes) =>
      void limits.push(...bytes.map((n) => ({ bytes: n, what: 'cut' }) as const)),
    stallAfter: (bytes) => void limits.push({ bytes, what: 'stall' }),
  };
}
