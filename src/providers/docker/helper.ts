/**
 * Short-lived containers that serve a client: they have the volume of a cluster and nothing else, no
 * network, and end with the client's connection.
 *
 * X1  A helper ends when its input does, and the engine removes it then: a client that dies leaves nothing,
 *     but a helper that was never started when it died between two requests; `orphans` finds those.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Duplex } from 'node:stream';
import { PassThrough } from 'node:stream';
import { randomBytes } from 'node:crypto';
import type { EngineClient } from './client.ts';
import { copyFrames } from './frames.ts';
import { Label, clusterLabels, clusterResource } from './names.ts';
import type { DockerOptions } from './options.ts';

const memoryBytes = 256 * 1024 * 1024;

export interface HelperOptions {
  readonly clusterId: ClusterId;
  readonly identity: string;
  /** Any image of a runtime. */
  readonly image: string;
  /** What it does, for people who see it. */
  readonly purpose: string;
  /** Arguments of `keeper.js`. */
  readonly args: readonly string[];
}

/** A container that was made. */
export interface CreatedHelper {
  readonly id: string;
}

export interface RunningHelper extends CreatedHelper {
  /** Its input; raw, with half-close. */
  readonly stdin: Duplex;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
}

/** Makes a helper. It can be read and written by archive without being started. */
export async function createHelper(
  engine: EngineClient,
  { layout }: Pick<DockerOptions, 'layout'>,
  { args, clusterId, identity, image, purpose }: HelperOptions,
): Promise<CreatedHelper> {
  const volume = `${clusterResource(clusterId)}:${layout.mountPath(clusterId)}`;
  const { id } = await engine.ask(
    (docker) =>
      docker.createContainer({
        name: `fctl-${clusterId}-helper-${randomBytes(4).toString('hex')}`,
        Image: image,
        Entrypoint: [],
        Cmd: [layout.node, `${layout.runtimeDir}/keeper.js`, ...args],
        User: `${layout.user}:${layout.user}`,
        Labels: { ...clusterLabels(clusterId, identity), [Label.helper]: purpose },
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        OpenStdin: true,
        StdinOnce: true,
        NetworkDisabled: true,
        HostConfig: {
          AutoRemove: true,
          Init: true,
          Binds: [volume],
          NetworkMode: 'none',
          Memory: memoryBytes,
          MemorySwap: memoryBytes,
          // Nobody reads it: what it says goes to the client.
          LogConfig: { Type: 'none', Config: {} },
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges'],
        },
      }),
    { repeatable: false },
  );
  return { id };
}

/** Starts a helper, connected. */
export async function startHelper(
  engine: EngineClient,
  { id }: CreatedHelper,
): Promise<RunningHelper> {
  const stream = (await engine.ask(
    (docker) =>
      docker
        .getContainer(id)
        .attach({ hijack: true, stream: true, stdin: true, stdout: true, stderr: true }),
    { repeatable: false },
  )) as Duplex;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const end = () => {
    stdout.end();
    stderr.end();
  };
  void copyFrames(stream, stdout, stderr).then(end, end);
  await engine.ask((docker) => docker.getContainer(id).start(), { repeatable: false });
  return { id, stdin: stream, stdout, stderr };
}
