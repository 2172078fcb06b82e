/** All providers that fctl has, by name. A new one is a folder, and a line here. */
import type { ProviderName } from '../config/providers/sections.ts';
import { dockerRegistration } from './docker/registration.ts';
import { localRegistration } from './local/registration.ts';
import type { ProviderRegistration } from './registration.ts';
import { standaloneRegistration } from './standalone/registration.ts';

const registrations: Readonly<Record<ProviderName, ProviderRegistration>> = {
  local: localRegistration,
  standalone: standaloneRegistration,
  docker: dockerRegistration,
};

export const providerNames: readonly string[] = Object.keys(registrations);

/** @returns `null` for a provider that this version does not have. */
export const findProvider = (name: string): ProviderRegistration | null =>
  Object.hasOwn(registrations, name) ? registrations[name as ProviderName] : null;
