/**
 * A container image made from the runtime archive, on any base with glibc. Only what an engine's own
 * `POST /build` needs: a Dockerfile and the files that it names.
 *
 * ```
 * /opt/fctl    the runtime, root's, not writable
 * /fctl        home of the process's user, writable
 * ```
 *
 * I1  Nothing is run while the image is built: the base needs no shell, and the engine no network.
 * I2  The tag names all that goes in. An image of that tag need not be built again. What the name of
 *     the base image stands for on an engine is the engine's; a digest in it says so exactly.
 * I3  The user is a number: the base need not know it. That of the official Node.js images is `node`.
 */
import type { Readable } from 'node:stream';
import { ConfigError, problem } from '../contract/errors.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import type { RuntimeArchive } from './runtime-archive.ts';
import { type TarEntry, tarStream } from './tar.ts';

/** Where things lie in the image. */
export const imageLayout = {
  node: '/opt/fctl/bin/node',
  runtimeDir: '/opt/fctl/dist',
  /** Writable for the processes. */
  home: '/fctl',
  /** uid and gid of the processes. */
  user: 1000,
} as const;

export const RUNTIME_LABEL = 'fctl.dev/runtime';

export interface ImageOptions {
  /** `node:24-slim`, `registry.example:5000/base@sha256:…` */
  readonly baseImage: string;
}

export interface ImageContext {
  /** `fctl-runtime:<sha256>` */
  readonly tag: string;
  readonly dockerfile: string;
  /** Labels of the image; the Dockerfile sets them. */
  readonly labels: Readonly<Record<string, string>>;
  /** All files of the context, the Dockerfile first. */
  readonly entries: readonly TarEntry[];
}

/** @throws ConfigError when `baseImage` is no reference to an image. */
export function imageContext(archive: RuntimeArchive, { baseImage }: ImageOptions): ImageContext {
  checkReference(baseImage);
  const { home, user } = imageLayout;
  const dockerfile = [
    `FROM ${baseImage}`,
    `COPY --chown=${user}:${user} home/ ${home}/`,
    `ENV HOME=${home}`,
    `WORKDIR ${home}`,
    `USER ${user}:${user}`,
    'ENTRYPOINT []',
    // Last what differs between versions of fctl: the engine keeps the steps before.
    `LABEL ${RUNTIME_LABEL}=${archive.hash}`,
    'ADD runtime.tar.gz /opt/fctl/',
    '',
  ].join('\n');
  const { file, fileHash, hash, sizeBytes } = archive;
  return {
    tag: `fctl-runtime:${sha256(canonicalJson([hash, dockerfile, baseImage]))}`,
    dockerfile,
    labels: { [RUNTIME_LABEL]: hash },
    entries: [
      { type: 'content', name: 'Dockerfile', content: dockerfile },
      { type: 'folder', name: 'home' },
      { type: 'file', name: 'runtime.tar.gz', file, sizeBytes, sha256: fileHash },
    ],
  };
}

/** The body of `POST /build`: a tar of the context, made while it is read. */
export function createContextStream({ entries }: ImageContext): Readable {
  return tarStream(entries);
}

/** Everything that a reference may hold; nothing that could end its line or be replaced. */
function checkReference(baseImage: string): void {
  if (/^[\w][\w.:/@+-]*$/.test(baseImage)) return;
  throw new ConfigError(
    problem({
      code: 'invalid-value',
      message: `'${baseImage}' is no reference to an image`,
      path: '/providers/docker/baseImage',
      hint: "for example 'node:24-slim'",
    }),
  );
}
