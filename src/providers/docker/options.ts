/** Options of the Docker provider. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Readable } from 'node:stream';
import type { ResolvedDocker } from '../../config/providers/docker.ts';

/** What containers are made from. */
export interface RuntimeImage {
  /** Names its content. */
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the build context, roughly: what has to be sent. */
  readonly sizeBytes: number;
  /** The body of a build: a tar with a Dockerfile. */
  context(): Readable;
}

/** What is where in every image of a runtime. */
export interface ImageLayout {
  readonly node: string;
  readonly runtimeDir: string;
  /** uid and gid of the processes. */
  readonly user: number;
  /** Where the volume of a cluster is in its containers. A folder of the image, owned by its user. */
  readonly mountPath: (clusterId: ClusterId) => string;
  /** Where the JobManager listens in its container when the config leaves the port open. */
  readonly restPort: number;
}

/** As engines and Node.js's packages call them: `linux/x64`. */
export interface ImagePlatform {
  readonly platform: 'linux';
  readonly arch: 'x64' | 'arm64';
}

export interface DockerOptions {
  readonly docker: ResolvedDocker;
  readonly layout: ImageLayout;
  /** Makes the image's content on this machine, or finds it. */
  readonly runtimeImage: (
    target: ImagePlatform,
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ) => Promise<RuntimeImage>;
  /** Limits of what the engine keeps of a container's output. */
  readonly logging: { readonly maxSizeBytes: number; readonly maxFiles: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
}
