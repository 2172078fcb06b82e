/** The standalone provider in the registry. */
import type { ProviderRegistration } from '../registration.ts';

export const standaloneRegistration: ProviderRegistration = {
  name: 'standalone',
  portable: ({ standalone }) => {
    if (standalone === null) return {};
    const { dir, hosts, supervisor } = standalone;
    const places = hosts.map(({ address, advertise, role }) => ({ address, advertise, role }));
    return { hosts: places, dir, supervisor };
  },
  open: async (context) => {
    const { createStandaloneProvider, resolveStandaloneOptions } = await import('./index.ts');
    const section = context.choice!.providers.standalone!;
    return createStandaloneProvider(await resolveStandaloneOptions(section, context));
  },
};
