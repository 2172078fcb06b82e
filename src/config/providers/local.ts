/** `providers.local`: where clusters of this machine live. */
import type { z } from 'zod';
import { resolvePath } from '../paths.ts';
import { section, text } from '../schema-parts.ts';
import type { ProviderSection } from './section.ts';

const schema = section({
  dir: text(
    'Folder of all local clusters. Default: `FCTL_HOME`, else `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`.',
  ).optional(),
});

export interface ResolvedLocal {
  /** Absolute; `null` for the default. */
  readonly dir: string | null;
}

function resolve({ dir }: z.output<typeof schema>, projectDir: string): ResolvedLocal {
  return { dir: dir === undefined ? null : resolvePath(projectDir, dir) };
}

export const localSection: ProviderSection<typeof schema, ResolvedLocal> = {
  schema,
  resolve,
  check: () => [],
  rest: 'loopback',
};
