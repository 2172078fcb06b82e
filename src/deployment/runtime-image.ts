/** The image of the runtime, as packaging makes it, in the words of the providers that run containers. */
import { join } from 'node:path';
import { createContextStream, imageContext, imageLayout } from '../packaging/container-image.ts';
import { type RuntimeOptions, runtimeFor } from '../packaging/runtime.ts';
import type { ImageLayout, ImagePlatform, RuntimeImage } from '../providers/docker/index.ts';

/** Flink's. */
const restPort = 8081;

const { home, node, runtimeDir, user } = imageLayout;

export const runtimeImageLayout: ImageLayout = {
  node,
  runtimeDir,
  user,
  mountPath: () => home,
  restPort,
};

/** Makes what goes into the image on this machine, or finds it. */
export async function runtimeImageFor(
  target: ImagePlatform,
  baseImage: string,
  options: Omit<RuntimeOptions, 'templatesDir'>,
): Promise<RuntimeImage> {
  const templatesDir = join(options.runtimeDir, '..', 'templates');
  const archive = await runtimeFor(target, { ...options, templatesDir });
  const context = imageContext(archive, { baseImage });
  const { labels, tag } = context;
  return {
    tag,
    labels,
    sizeBytes: archive.sizeBytes,
    context: () => createContextStream(context),
  };
}
