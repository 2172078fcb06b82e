/** The Docker provider on a fake engine. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { pack } from 'tar-stream';
import type { ResolvedDocker } from '../../../src/config/providers/docker.ts';
import { createDockerProvider } from '../../../src/providers/docker/index.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { FakeEngine } from './fake-engine.ts';

const dist = resolve(import.meta.dirname, '../../../dist');

/** One that was free just now: containers of the fake engine have no network of their own. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function openFake(
  engine: FakeEngine,
  restPort: number,
  docker: Partial<ResolvedDocker> = {},
): Promise<Provider> {
  return createDockerProvider({
    docker: {
      host: `unix://${engine.socketPath}`,
      context: null,
      certPath: null,
      baseImage: 'base:1',
      pull: 'never',
      network: null,
      publish: '127.0.0.1',
      volumes: {},
      ...docker,
    },
    logging: { maxSizeBytes: 1024 * 1024, maxFiles: 2 },
    environment: {},
    layout: {
      node: process.execPath,
      runtimeDir: dist,
      user: 1000,
      mountPath: (clusterId) => engine.pathOf(`fctl-${clusterId}`),
      restPort,
    },
    runtimeImage: async () => ({
      tag: 'fctl-runtime:test',
      labels: { 'fctl.dev/runtime': 'test' },
      sizeBytes: 1000,
      context: () => {
        const tar = pack();
        tar.entry({ name: 'Dockerfile' }, 'FROM base:1\n');
        tar.finalize();
        return tar as unknown as ReturnType<Provider['logs']> extends Promise<infer R> ? R : never;
      },
    }),
  });
}
