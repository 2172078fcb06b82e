/**
 * Connections to an engine, by whatever way, for Node's HTTP client. They are kept and used again.
 *
 * A1  After `destroy` there are none, and no new ones: nothing keeps the process alive.
 */
import { Agent } from 'node:http';
import { connect as connectPlain, isIP } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { EngineAddress, TlsFiles } from './engine-address.ts';
import { connectBySsh } from './dial-stdio.ts';

export class EngineConnections extends Agent {
  readonly #connect: () => Duplex;
  readonly #open = new Set<Duplex>();
  #destroyed = false;

  constructor(connect: () => Duplex) {
    super({ keepAlive: true });
    this.#connect = connect;
  }

  override createConnection(): Duplex {
    if (this.#destroyed) throw new Error('the connection to the engine was given up'); // A1
    const connection = this.#connect();
    this.#open.add(connection);
    connection.once('close', () => this.#open.delete(connection));
    return connection;
  }

  override destroy(): void {
    this.#destroyed = true;
    super.destroy();
    for (const connection of this.#open) connection.destroy();
  }
}

/** @throws ProviderError when a certificate cannot be read. */
export async function createConnections(address: EngineAddress): Promise<EngineConnections> {
  if (address.transport === 'ssh') return new EngineConnections(() => connectBySsh(address));
  if (address.transport === 'unix') {
    return new EngineConnections(() => connectPlain(address.socketPath));
  }
  const { host, port, tls } = address;
  if (tls === null) return new EngineConnections(() => connectPlain({ host, port }));
  const [ca, cert, key] = await Promise.all([
    readPem(tls, 'ca.pem'),
    readPem(tls, 'cert.pem'),
    readPem(tls, 'key.pem'),
  ]);
  const options = {
    host,
    port,
    rejectUnauthorized: tls.verify,
    // The name that its certificate must have; an address is none.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca && { ca }),
    ...(cert && key && { cert, key }),
  };
  return new EngineConnections(() => connectTls(options));
}

async function readPem({ folder }: TlsFiles, name: string): Promise<Buffer | null> {
  if (folder === '') return null;
  const file = join(folder, name);
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `a certificate for the Docker engine cannot be read: ${(error as Error).message}`;
    throw new ProviderError(
      problem({ code: 'engine-tls', message, file, path: '/providers/docker/certPath' }),
      { cause: error },
    );
  }
}
