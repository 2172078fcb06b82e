/** All providers that fctl has, by name. A new one is a folder, and a line here. */
import { dockerRegistration } from './docker/registration.ts';
import { localRegistration } from './local/registration.ts';
import type { ProviderRegistration } from './registration.ts';
import { standaloneRegistration } from './standalone/registration.ts';

const registrations: readonly ProviderRegistration[] = [
  localRegistration,
  standaloneRegistration,
  dockerRegistration,
];

/** @returns `null` for a provider that this version does not have. */
export const findProvider = (name: string): ProviderRegistration | null =>
  registrations.find((registration) => registration.name === name) ?? null;

export const providerNames: readonly string[] = registrations.map(({ name }) => name);
