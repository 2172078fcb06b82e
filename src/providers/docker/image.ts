/**
 * The image that containers are made from: on the engine, or built there from the runtime archive.
 *
 * G1  An image of its tag is what it should be: the tag names the content. It is built once.
 * G2  That it was there says nothing of now: somebody may have pruned. It is looked for each time, and who
 *     makes a container and finds it gone has it built again (`withImage`).
 */
import { Readable } from 'node:stream';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { TransferOptions } from '../provider.ts';
import type { EngineClient } from './client.ts';
import { describeEngine } from './engine-address.ts';
import { hasStatus, nullIfNotFound } from './errors.ts';
import type { DockerOptions, ImagePlatform, RuntimeImage } from './options.ts';

const silently = (): void => {};
const transferMs = 3_600_000;

const architectures: Readonly<Record<string, ImagePlatform['arch']>> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

/** @throws ProviderError where no runtime is made for the engine's machine. */
function platformOf(engine: EngineClient, type: string, machine: string): ImagePlatform {
  const arch = architectures[machine];
  if (type === 'linux' && arch !== undefined) return { platform: 'linux', arch };
  throw new ProviderError(
    problem({
      code: 'platform-not-supported',
      message: `the Docker engine ${describeEngine(engine.address)} runs ${type} on ${machine}`,
      path: '/providers/docker/host',
      hint: 'containers of fctl run on Linux, on x86_64 and aarch64',
    }),
  );
}

export class ImageStore {
  readonly #engine: EngineClient;
  readonly #options: DockerOptions;
  #made: Promise<RuntimeImage> | null = null;

  constructor(engine: EngineClient, options: DockerOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Whether anybody has asked what the image is. */
  get isDescribed(): boolean {
    return this.#made !== null;
  }

  /** What the image is, or will be. */
  describe(onProgress: (message: string) => void, signal: AbortSignal): Promise<RuntimeImage> {
    this.#made ??= this.#describe(onProgress, signal).catch((error: unknown) => {
      this.#made = null;
      throw error;
    });
    return this.#made;
  }

  async #describe(
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ): Promise<RuntimeImage> {
    const { Os, Arch } = await this.#engine.ask((docker) => docker.version());
    return this.#options.runtimeImage(platformOf(this.#engine, Os, Arch), onProgress, signal);
  }

  has(reference: string): Promise<boolean> {
    return this.#engine
      .ask((docker) => docker.getImage(reference).inspect())
      .then(Boolean, (error: unknown) => nullIfNotFound(error) !== null);
  }

  /** Builds the image unless the engine has it (G1). */
  async ensure({ onProgress, signal }: TransferOptions): Promise<RuntimeImage> {
    const where = describeEngine(this.#engine.address);
    const image = await this.describe(silently, signal);
    if (await this.has(image.tag)) return image; // G2
    await this.ensureBase({ onProgress, signal });
    signal.throwIfAborted();
    await this.#build(image, { onProgress, signal }, where);
    return image;
  }

  /** Makes a container of the image; once more, with the image built anew, where that was just removed (G2). */
  async withImage<T>(make: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await make();
    } catch (error) {
      if (!hasStatus(error, 404) || !/no such image/i.test((error as Error).message)) throw error;
      await this.ensure({ onProgress: silently, signal });
      return make();
    }
  }

  /** @throws ProviderError when the engine has no base image and gets none. */
  async ensureBase({ onProgress, signal }: TransferOptions): Promise<void> {
    const { baseImage, pull } = this.#options.docker;
    if (await this.has(baseImage)) return;
    if (pull === 'never') throw new ProviderError(noBaseImage(baseImage, 'it may not be pulled'));
    try {
      const stream = await this.#engine.ask((docker) => docker.pull(baseImage), {
        repeatable: false,
        timeoutMs: transferMs,
      });
      const layers = new Map<string, { current: number; total: number }>();
      await follow(stream, signal, (event) => {
        const { id, progressDetail: detail } = event;
        if (id === undefined || !detail?.total) return;
        layers.set(id, { current: detail.current ?? 0, total: detail.total });
        onProgress({
          what: `base image ${baseImage}`,
          where: describeEngine(this.#engine.address),
          sentBytes: sum(layers, 'current'),
          totalBytes: sum(layers, 'total'),
        });
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProviderError) throw error;
      throw new ProviderError(noBaseImage(baseImage, (error as Error).message), { cause: error });
    }
  }

  async #build(image: RuntimeImage, { onProgress, signal }: TransferOptions, where: string) {
    const what = 'image of the runtime';
    const totalBytes = image.sizeBytes;
    let sentBytes = 0;
    const counted = async function* (context: AsyncIterable<Buffer>) {
      for await (const chunk of context) {
        yield chunk;
        sentBytes = Math.min(totalBytes - 1, sentBytes + chunk.length);
        onProgress({ what, where, sentBytes, totalBytes });
      }
    };
    const context = Readable.from(counted(image.context()), { objectMode: false });
    try {
      const stream = await this.#engine.ask(
        (docker) =>
          docker.buildImage(context, {
            t: image.tag,
            labels: image.labels,
            networkmode: 'none',
            forcerm: true,
            abortSignal: signal,
          }),
        { repeatable: false, timeoutMs: transferMs },
      );
      await follow(stream, signal, silently);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProviderError) throw error;
      throw new ProviderError(
        problem({
          code: 'image-not-built',
          message: `the image of the runtime could not be built on ${where}: ${(error as Error).message}`,
          path: '/providers/docker/baseImage',
        }),
        { cause: error },
      );
    }
    onProgress({ what, where, sentBytes: totalBytes, totalBytes });
  }

  /** Whether the engine could get the base image; asks its registry. */
  async problemWithBase() {
    const { baseImage, pull } = this.#options.docker;
    if (await this.has(baseImage)) return null;
    if (pull === 'never') return noBaseImage(baseImage, 'it may not be pulled');
    return this.#engine
      .ask((docker) => docker.getImage(baseImage).distribution(), { repeatable: false })
      .then(
        () => null,
        (error: Error) => noBaseImage(baseImage, error.message),
      );
  }
}

function noBaseImage(baseImage: string, why: string) {
  return problem({
    code: 'base-image-missing',
    message: `the engine has no image ${baseImage} and cannot get it: ${why}`,
    path: '/providers/docker/baseImage',
    hint: `pull or load it on the engine, or set providers.docker.baseImage to one that it has`,
  });
}

const sum = (
  layers: ReadonlyMap<string, { current: number; total: number }>,
  key: 'current' | 'total',
) => [...layers.values()].reduce((total, layer) => total + layer[key], 0);

interface ProgressEvent {
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

/** Reads a stream of JSON lines to its end. @throws Error with what the engine reports in it. */
async function follow(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
  onEvent: (event: ProgressEvent) => void,
): Promise<void> {
  const stop = () => (stream as Readable).destroy();
  signal.addEventListener('abort', stop, { once: true });
  let rest = '';
  try {
    for await (const chunk of stream) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.trim() === '') continue;
        const event = JSON.parse(line) as ProgressEvent;
        if (event.error !== undefined) throw new Error(event.error);
        onEvent(event);
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
}
