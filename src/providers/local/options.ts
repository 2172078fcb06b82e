/** Options of the local provider. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Launcher } from './launcher.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';
import type { Runtime, RuntimeFiles } from './runtimes.ts';

/** Its `Runtime` is what processes run with that were not started with a copy. */
export interface LocalOptions extends Runtime {
  /** Folder of all local clusters, absolute. */
  readonly home: string;
  /** What processes run with a copy of (runtimes.ts); absent: `runtimeDir` itself is one that nobody changes. */
  readonly runtimeFiles?: () => Promise<RuntimeFiles>;
  /** The Node.js that runs them. */
  readonly node: string;
  /** Of the user; processes get the part of it that says where things are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What keeps supervisors alive; absent: they are processes of their own. */
  readonly launcher?: Launcher;
}

/**
 * @param dir the config's `providers.local.dir`; `null` for the default, which is `FCTL_HOME`, else
 *   `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`.
 */
export function resolveLocalOptions(
  dir: string | null,
  runtime: Pick<LocalOptions, 'runtimeFiles'> & { dir: string; node: string },
  environment: Readonly<Record<string, string | undefined>>,
): LocalOptions {
  const state = environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const home = dir ?? (environment[ProcessEnvironment.home] || join(state, 'fctl'));
  return {
    home: resolve(home),
    runtimeDir: runtime.dir,
    supervisor: join(runtime.dir, '..', 'templates', 'supervise.sh'),
    ...(runtime.runtimeFiles && { runtimeFiles: runtime.runtimeFiles }),
    node: runtime.node,
    environment,
  };
}
