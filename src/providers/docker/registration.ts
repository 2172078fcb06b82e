/** The Docker provider in the registry. */
import type { ProviderRegistration } from '../registration.ts';

export const dockerRegistration: ProviderRegistration = {
  name: 'docker',
  portable: ({ docker: { baseImage, network, publish, volumes } }) => ({
    baseImage,
    network,
    publish,
    volumes,
  }),
  open: async ({ choice, environment, runtimeImages }) => {
    const { createDockerProvider } = await import('./index.ts');
    const { layout, make } = await runtimeImages();
    const { logging, providers } = choice!;
    const { docker } = providers;
    return createDockerProvider({
      docker,
      logging,
      environment,
      layout,
      runtimeImage: (target, onProgress, signal) =>
        make(target, docker.baseImage, onProgress, signal),
    });
  },
};
