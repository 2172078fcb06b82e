/**
 * The way to a JobManager's REST API: straight, or through SSH by a local listener.
 *
 * W1  Straight only to an address that SSH just proved to be this host: requests carry the cluster's token.
 * W2  A tunnel listens on 127.0.0.1 alone, and stays as long as the provider: who has its URL may use it
 *     again, also after the connection below was opened anew.
 */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import type { Host } from './host.ts';

const straightTimeoutMs = 1000;

export type RestWay = 'auto' | 'direct' | 'tunnel';

export class Tunnels {
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #straight = new Map<string, Promise<boolean>>();
  readonly #sockets = new Set<Socket>();

  /** @returns the URL under which this machine reaches `url`, an address of the host. */
  async reach(url: string, host: Host, way: RestWay): Promise<string> {
    const { hostname, port } = new URL(url);
    const address = hostname.replace(/^\[|\]$/g, '');
    if (way === 'direct') return url;
    if (way === 'auto' && (await this.#isStraight(address, Number(port), host))) return url;
    const key = `${host.address} ${url}`;
    const open = this.#servers.get(key) ?? this.#open(host, address, Number(port));
    this.#servers.set(key, open);
    open.catch(() => this.#servers.delete(key));
    const { port: local } = (await open).address() as AddressInfo;
    return `http://127.0.0.1:${local}`;
  }

  /** W1. Asked once for each address. */
  #isStraight(address: string, port: number, host: Host): Promise<boolean> {
    const key = `${address} ${port}`;
    const known = this.#straight.get(key);
    if (known !== undefined) return known;
    const found = (async () => {
      const target = await host.target();
      if (target.jumps.length > 0) return false;
      const { remoteAddress } = await host.connection();
      return remoteAddress === address && (await answers(address, port));
    })();
    this.#straight.set(key, found);
    // A JobManager that is not there yet answers later.
    void found.then(
      (straight) => straight || this.#straight.delete(key),
      () => this.#straight.delete(key),
    );
    return found;
  }

  async #open(host: Host, address: string, port: number): Promise<Server> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      host
        .connection()
        .then((connection) => connection.forward(address, port))
        .then(
          (stream) => {
            stream.on('error', () => socket.destroy());
            stream.once('close', () => socket.destroy());
            socket.once('close', () => stream.destroy());
            socket.pipe(stream).pipe(socket);
          },
          () => socket.resetAndDestroy(),
        );
    });
    server.listen(0, '127.0.0.1'); // W2
    await once(server, 'listening');
    server.unref();
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const opening of this.#servers.values()) {
      const server = await opening.catch(() => null);
      if (server) await new Promise((resolve) => server.close(resolve));
    }
  }
}

function answers(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: straightTimeoutMs });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('timeout', () => resolve(false));
    socket.once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
