/** The build context of a container image, as the engine gets it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError, ProviderError } from '../../src/contract/errors.ts';
import {
  RUNTIME_LABEL,
  createContextStream,
  imageContext,
  imageLayout,
} from '../../src/packaging/container-image.ts';
import type { RuntimeArchive } from '../../src/packaging/runtime-archive.ts';
import { build, install, readTar } from './installation.ts';

let root: string;
let archive: RuntimeArchive;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fctl-image-'));
  archive = await build(await install(root, {}), join(root, 'cache'));
});
afterEach(() => rm(root, { recursive: true }));

it('holds the Dockerfile, an empty home and the archive', async () => {
  const context = imageContext(archive, { baseImage: 'node:24-slim' });
  const entries = await readTar(createContextStream(context));
  expect([...entries.keys()]).toEqual([
    '0644 0:0 0 Dockerfile',
    '0755 0:0 0 home/',
    '0644 0:0 0 runtime.tar.gz',
  ]);
  const { home, node, user } = imageLayout;
  expect(node.startsWith('/opt/fctl/')).toBe(true);
  expect(entries.get('0644 0:0 0 Dockerfile')).toBe(`FROM node:24-slim
COPY --chown=${user}:${user} home/ ${home}/
ENV HOME=${home}
WORKDIR ${home}
USER ${user}:${user}
ENTRYPOINT []
LABEL ${RUNTIME_LABEL}=${archive.hash}
ADD runtime.tar.gz /opt/fctl/
`);
  expect(context.labels).toEqual({ [RUNTIME_LABEL]: archive.hash });
});

it('has a tag that changes with archive and base, and with nothing else', () => {
  const tag = (hash: string, baseImage: string, file = '/a') =>
    imageContext({ ...archive, hash, file, fileHash: file }, { baseImage }).tag;
  const { hash } = archive;
  expect(tag(hash, 'node:24-slim')).toMatch(/^fctl-runtime:[0-9a-f]{64}$/);
  expect(tag(hash, 'node:24-slim', '/b')).toBe(tag(hash, 'node:24-slim'));
  expect(tag(hash, 'node:24')).not.toBe(tag(hash, 'node:24-slim'));
  expect(tag('0'.repeat(64), 'node:24')).not.toBe(tag(hash, 'node:24'));
});

it('takes every reference to an image', () => {
  const word = fc.stringMatching(/^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/);
  const reference = fc
    .record({
      host: fc.option(fc.constantFrom('localhost:5000/', 'a-b.example/', '127.0.0.1:1/')),
      path: fc.array(word, { minLength: 1, maxLength: 3 }),
      tag: fc.option(fc.stringMatching(/^:\w[\w.-]{0,20}$/)),
      digest: fc.option(fc.constant(`@sha256:${'0a'.repeat(32)}`)),
    })
    .map(({ digest, host, path, tag }) => [host, path.join('/'), tag, digest].join(''));
  fc.assert(
    fc.property(reference, (baseImage) => {
      const [first] = imageContext(archive, { baseImage }).dockerfile.split('\n');
      expect(first).toBe(`FROM ${baseImage}`);
    }),
  );
});

it.each(['', 'a b', 'a\nRUN x', '$BASE', '${BASE}', '--platform=x', 'a\\', '#a', 'a AS b'])(
  'refuses %j as a base',
  (baseImage) => {
    expect(() => imageContext(archive, { baseImage })).toThrow(ConfigError);
  },
);

it('ends with an error when the archive is not the one any more', async () => {
  const context = imageContext(archive, { baseImage: 'base' });
  await writeFile(archive.file, Buffer.alloc(archive.sizeBytes));
  await expect(readTar(createContextStream(context))).rejects.toThrow(ProviderError);
  for (const size of [0, archive.sizeBytes - 1, archive.sizeBytes + 1]) {
    await writeFile(archive.file, Buffer.alloc(size));
    await expect(readTar(createContextStream(context))).rejects.toThrow(ProviderError);
  }
});
