/** What a config file in TypeScript imports as `fctl/config`. */
import type { FctlConfig } from './fctl-config.ts';

export type { FctlConfig };

/** For completion and type checks in `fctl.config.ts`. */
export function defineConfig(config: FctlConfig): FctlConfig {
  return config;
}
