/** An npm registry on loopback with one package, and an npm that knows no other. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { tarStream } from '../../src/packaging/tar.ts';

export interface FakePackage {
  readonly name: string;
  readonly version: string;
  /** Path → content. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether the registry serves other bytes than it says. */
  readonly corrupt?: boolean;
}

export class FakeRegistry {
  readonly #server = createServer();
  /** Paths of all requests. */
  readonly requests: string[] = [];

  /** Ends with `await using`. */
  static async with({ corrupt = false, files, name, version }: FakePackage): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    const entries = Object.entries(files).map(
      ([path, content]) => ({ type: 'content', name: `package/${path}`, content }) as const,
    );
    const tarball = gzipSync(await buffer(tarStream(entries)));
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    if (corrupt) tarball[tarball.length - 1]! ^= 1;
    registry.#server.on('request', ({ url = '' }, response) => {
      registry.requests.push(url);
      const dist = { tarball: `${registry.url}/${name}.tgz`, integrity };
      const versions = { [version]: { name, version, dist } };
      if (url === `/${name}.tgz`) response.end(tarball);
      else if (url !== `/${name}`) response.writeHead(404).end('{}');
      else response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
    });
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }
}

/** An environment in which npm asks that registry only, keeps its files in the folder, and never waits. */
export function npmEnvironment(url: string, folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH']!,
    HOME: folder,
    npm_config_registry: url,
    npm_config_cache: `${folder}/npm-cache`,
    npm_config_userconfig: `${folder}/.npmrc`,
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
  };
}
