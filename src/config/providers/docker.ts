/** `providers.docker`: a Docker engine, here or elsewhere. */
import { z } from 'zod';
import { resolvePath } from '../paths.ts';
import { choice, section, text } from '../schema-parts.ts';
import type { ProviderSection } from './section.ts';

const schema = section({
  host: text(
    'The engine: `unix:///…`, `tcp://HOST:PORT` or `ssh://user@host`. Default: `DOCKER_HOST`, else the Docker context in use, else `/var/run/docker.sock`.',
  ).optional(),
  context: text(
    'A Docker context, instead of `host`. Default: `DOCKER_CONTEXT`, else the one in use.',
  ).optional(),
  certPath: text(
    'Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine on TCP with TLS. Default: `DOCKER_CERT_PATH`, or what the context says.',
  ).optional(),
  baseImage: text('What the image of the runtime is made from.').default('node:24-slim'),
  pull: choice(
    ['missing', 'never'],
    'Whether the base image is pulled where the engine has it not.',
  ).default('missing'),
  network: text(
    'An existing network for the containers. Default: one of their own for each cluster.',
  ).optional(),
  publish: text(
    'Address of the engine on which the REST API is published. Only this machine reaches 127.0.0.1.',
  ).default('127.0.0.1'),
  volumes: z
    .record(
      z.string().regex(/^\//, 'must be an absolute path'),
      z.string().regex(/^[a-zA-Z0-9][\w.-]+$/, 'must be the name of a volume'),
    )
    .default({})
    .meta({
      description:
        'Named volumes that all containers see, by path: `{ /data: flights }`. They are never removed. Name the paths in `storage.shared`. Processes run as user 1000: it gets a volume that is empty; another one must be writable for it.',
    }),
});

export interface ResolvedDocker {
  /** What is `null` here the environment or the Docker context says. */
  readonly host: string | null;
  readonly context: string | null;
  /** Absolute. */
  readonly certPath: string | null;
  readonly baseImage: string;
  readonly pull: 'missing' | 'never';
  readonly network: string | null;
  readonly publish: string;
  /** Path → name of a volume. */
  readonly volumes: Readonly<Record<string, string>>;
}

function resolve(
  { certPath, context, host, network, ...rest }: z.output<typeof schema>,
  projectDir: string,
): ResolvedDocker {
  return {
    ...rest,
    host: host ?? null,
    context: context ?? null,
    certPath: certPath === undefined ? null : resolvePath(projectDir, certPath),
    network: network ?? null,
  };
}

export const dockerSection: ProviderSection<typeof schema, ResolvedDocker> = {
  schema,
  resolve,
  check: () => [],
  rest: 'network',
};
