/**
 * Where the REST API of a JobManager is reached from here.
 *
 * R1  Asked anew each time: a port that the engine chose is another one after every restart.
 * R2  An address that belongs to nobody is given where nothing is published now, never one that somebody
 *     else may have taken meanwhile: a token is sent there.
 */
import type { Socket } from 'node:net';
import type Dockerode from 'dockerode';
import type { EngineClient } from './client.ts';
import { isHere } from './engine-address.ts';
import { nullIfNotFound } from './errors.ts';
import type { DockerOptions } from './options.ts';
import { LoopbackRelays } from '../shared/loopback-relays.ts';
import { relayToContainer } from './container-relay.ts';

const nowhere = 'http://127.0.0.1:0'; // R2
const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const loopback = /^(127(\.\d+){3}|::1)$/;

export class RestAddress {
  readonly #engine: EngineClient;
  readonly #options: DockerOptions;
  readonly #relays = new LoopbackRelays();

  constructor(engine: EngineClient, options: DockerOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** @param container of the JobManager; `null`: there is none. */
  async urlOf(container: string | null): Promise<string> {
    if (container === null) return nowhere;
    const found = await this.#engine
      .ask((docker) => docker.getContainer(container).inspect())
      .catch(nullIfNotFound);
    const port = found?.State.Running && !found.State.Restarting ? publishedPort(found) : null;
    if (port === null) return nowhere;
    const { address } = this.#engine;
    const { publish } = this.#options.docker;
    if (isHere(address))
      return urlOf(everywhere.has(publish) ? '127.0.0.1' : publish, port.outside);
    if (!loopback.test(publish)) {
      const host = everywhere.has(publish) && address.transport !== 'unix' ? address.host : publish;
      return urlOf(host, port.outside);
    }
    const { node } = this.#options.layout;
    const relay = (socket: Socket) =>
      relayToContainer(this.#engine, { container: found!.Id, node, port: port.inside }, socket);
    return urlOf('127.0.0.1', await this.#relays.open(`${found!.Id}:${port.inside}`, relay));
  }

  async close(): Promise<void> {
    await this.#relays.close();
  }
}

const urlOf = (host: string, port: number) =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

function publishedPort({
  NetworkSettings,
}: Dockerode.ContainerInspectInfo): { inside: number; outside: number } | null {
  for (const [port, bindings] of Object.entries(NetworkSettings.Ports ?? {})) {
    const outside = Number((bindings as { HostPort: string }[] | null)?.[0]?.HostPort);
    if (outside > 0) return { inside: Number.parseInt(port, 10), outside };
  }
  return null;
}
