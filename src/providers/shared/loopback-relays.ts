/**
 * Ports on this machine's loopback that lead elsewhere: by SSH, or through an engine. Each place brings how.
 *
 * W1  They listen on 127.0.0.1 alone, and stay as long as the provider: who has the address of one may use
 *     it again, also after the connection below was opened anew.
 */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';

/** Carries the bytes of a connection both ways. Rejects when the far end is not reached. */
export type Relay = (socket: Socket) => Promise<void>;

export class LoopbackRelays {
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #sockets = new Set<Socket>();

  /**
   * @param key of the far end; the same one gives the same port.
   * @returns the port on 127.0.0.1.
   */
  async open(key: string, relay: Relay): Promise<number> {
    const opened = this.#servers.get(key) ?? this.#listen(relay);
    this.#servers.set(key, opened);
    opened.catch(() => this.#servers.delete(key));
    return ((await opened).address() as AddressInfo).port;
  }

  async #listen(relay: Relay): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {});
      relay(socket).catch(() => socket.resetAndDestroy());
    });
    server.unref().listen(0, '127.0.0.1'); // W1
    await once(server, 'listening');
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
