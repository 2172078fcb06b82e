export type { ImageLayout, ImagePlatform, RuntimeImage } from './options.ts';
export { createDockerProvider } from './provider.ts';
