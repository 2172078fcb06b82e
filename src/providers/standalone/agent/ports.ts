/** Ports of this host. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** @returns `wanted` where it is free, else another one; 0: none, not even another. */
export async function findFreePort(bind: string, wanted: number): Promise<number> {
  for (const port of wanted === 0 ? [0] : [wanted, 0]) {
    const found = await tryPort(bind, port);
    if (found !== null) return found;
  }
  return 0;
}

function tryPort(host: string, port: number): Promise<number | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}
