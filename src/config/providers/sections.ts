/**
 * The configuration of all providers that this version has, by name. Reading a config must load no provider, so
 * what opens them is apart from this, in `providers/registry.ts`.
 */
import { dockerSection } from './docker.ts';
import { localSection } from './local.ts';
import type { ProviderSection } from './section.ts';
import { standaloneSection } from './standalone.ts';

export const providerSections = {
  local: localSection,
  standalone: standaloneSection,
  docker: dockerSection,
} as const satisfies Readonly<Record<string, ProviderSection>>;

export type ProviderName = keyof typeof providerSections;

export const providerNames = [
  'local',
  'standalone',
  'docker',
] as const satisfies readonly ProviderName[];

/** `null`: this version does not have it. */
export const sectionOf = (name: string): ProviderSection | null =>
  providerNames.some((known) => known === name) ? providerSections[name as ProviderName] : null;
