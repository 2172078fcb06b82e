/**
 * Ways to ports in containers of an engine that runs elsewhere: connections to a port here go on as
 * commands in the container, over the engine's own API. So nothing but the engine has to be reachable.
 */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { EngineClient } from './client.ts';
import { readFrames } from './frames.ts';
import type { Container } from './resources.ts';

interface Tunnel {
  readonly server: Server;
  readonly port: number;
}

export class Tunnels {
  readonly #engine: EngineClient;
  readonly #node: string;
  /** By container and port in it. */
  readonly #open = new Map<string, Promise<Tunnel>>();
  readonly #sockets = new Set<Duplex>();

  /** @param node the Node.js executable in the containers. */
  constructor(engine: EngineClient, node: string) {
    this.#engine = engine;
    this.#node = node;
  }

  /** @returns the port on this machine's loopback. */
  async open(container: Container, port: number): Promise<number> {
    const key = `${container.Id}:${port}`;
    const opened = this.#open.get(key) ?? this.#listen(container, port);
    this.#open.set(key, opened);
    return (await opened).port;
  }

  async #listen(container: Container, port: number): Promise<Tunnel> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket)).on('error', () => {});
      this.#relay(container, port, socket).catch(() => socket.destroy());
    });
    server.unref().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, port: (server.address() as AddressInfo).port };
  }

  async #relay({ Id }: Container, port: number, socket: Socket): Promise<void> {
    const script = `
      const socket = require('node:net').connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true });
      process.stdin.pipe(socket).pipe(process.stdout);
      socket.on('error', () => process.exit(1));
      socket.on('close', () => process.exit(0));`;
    const exec = await this.#engine.ask(
      (docker) =>
        docker.getContainer(Id).exec({
          Cmd: [this.#node, '-e', script],
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
        }),
      { repeatable: false },
    );
    const stream = (await this.#engine.ask(() => exec.start({ hijack: true, stdin: true }), {
      repeatable: false,
    })) as Duplex;
    this.#sockets.add(stream);
    stream.once('close', () => this.#sockets.delete(stream)).on('error', () => socket.destroy());
    socket.pipe(stream);
    for await (const { bytes, kind } of readFrames(stream)) {
      if (kind === 'stdout' && !socket.write(bytes)) await once(socket, 'drain');
    }
    socket.end();
  }

  close(): void {
    for (const opened of this.#open.values()) {
      void opened.then(
        ({ server }) => server.close(),
        () => {},
      );
    }
    for (const socket of this.#sockets) socket.destroy();
  }
}
