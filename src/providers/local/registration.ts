/** The local provider in the registry. */
import type { ProviderRegistration } from '../registration.ts';

export const localRegistration: ProviderRegistration = {
  name: 'local',
  portable: () => ({}),
  open: async ({ choice, environment, node, runtimeDir, runtimeFiles }) => {
    const { createLocalProvider, resolveLocalOptions } = await import('./index.ts');
    const runtime = { dir: runtimeDir, node: choice?.runtime.node ?? node, runtimeFiles };
    const dir = choice?.providers.local.dir ?? null;
    return createLocalProvider(resolveLocalOptions(dir, runtime, environment));
  },
};
