/** Options of the local provider. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Launcher } from './launcher.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';

export interface LocalOptions {
  /** Folder of all local clusters, absolute. */
  readonly home: string;
  /** Folder with the runtime's entry points (`jobmanager.js`, `taskmanager.js`). */
  readonly runtimeDir: string;
  /** The shell script that runs each of them and starts it again. */
  readonly supervisor: string;
  /** The Node.js that runs them. */
  readonly node: string;
  /** Of the user; processes get the part of it that says where things are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where processes keep compiled code; absent: where Node.js does. */
  readonly compileCache?: string;
  /** What keeps supervisors alive; absent: they are processes of their own. */
  readonly launcher?: Launcher;
}

/**
 * @param dir the config's `providers.local.dir`; `null` for the default, which is `FCTL_HOME`, else
 *   `$XDG_STATE_HOME/fctl`, else `~/.local/state/fctl`.
 */
export function resolveLocalOptions(
  dir: string | null,
  runtime: { dir: string; node: string },
  environment: Readonly<Record<string, string | undefined>>,
): LocalOptions {
  const state = environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const home = dir ?? (environment[ProcessEnvironment.home] || join(state, 'fctl'));
  return {
    home: resolve(home),
    runtimeDir: runtime.dir,
    supervisor: join(runtime.dir, '..', 'templates', 'supervise.sh'),
    node: runtime.node,
    environment,
  };
}
