/** What the configuration knows of one provider: one object each, named in sections.ts. */
import type { z } from 'zod';
import type { Finding } from '../finding.ts';
import type { Tree } from '../layer.ts';

export interface ProviderSection<Schema extends z.ZodType = z.ZodType, Resolved = unknown> {
  /** Of `providers.NAME`. */
  readonly schema: Schema;
  /** @param projectDir absolute folder of the config file. */
  resolve(options: z.output<Schema>, projectDir: string): Resolved;
  /** What is wrong beyond the schema with a configuration that chooses this provider. */
  check(values: Tree): readonly Finding[];
  /** Where the REST API listens unless the user says so: to this machine alone, or to whoever is in its network. */
  readonly rest: 'loopback' | 'network';
}
