/** The Docker provider on an engine of a rig, with the runtime of this repository's `dist/`. */
import { join } from 'node:path';
import { runtimeImageFor, runtimeImageLayout } from '../../../src/deployment/runtime-image.ts';
import { createDockerProvider } from '../../../src/providers/docker/index.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { ResolvedDocker } from '../../../src/config/providers/docker.ts';
import type { DockerEngine } from '../../rigs/docker/engine.ts';

const root = join(import.meta.dirname, '../../..');

export interface EngineProviderOptions {
  /** Kept between tests: the runtime is packed once. */
  readonly cacheDir: string;
  readonly docker?: Partial<ResolvedDocker>;
}

export function openProvider(
  engine: DockerEngine,
  { cacheDir, docker }: EngineProviderOptions,
): Promise<Provider> {
  const resolved: ResolvedDocker = {
    host: engine.host,
    context: null,
    certPath: null,
    baseImage: engine.baseImage,
    pull: 'never',
    network: null,
    publish: '127.0.0.1',
    volumes: {},
    ...docker,
  };
  return createDockerProvider({
    docker: resolved,
    logging: { maxSizeBytes: 1024 * 1024, maxFiles: 2 },
    environment: process.env,
    layout: runtimeImageLayout,
    runtimeImage: (target, onProgress, signal) =>
      runtimeImageFor(target, resolved.baseImage, {
        cacheDir,
        environment: process.env,
        runtimeDir: join(root, 'dist'),
        node: null,
        onProgress,
        signal,
      }),
  });
}
