/** What a verb says of itself. Nothing heavy may be imported here: all verbs are read at each start. */
import type { Context } from './context.ts';

export interface VerbArgument {
  /** Commander's form: `<required>`, `[optional]`. */
  readonly usage: string;
  readonly description: string;
}

export interface VerbOption {
  readonly flags: string;
  readonly description: string;
}

export interface Verb {
  /** `deploy`, or `config show` for a verb of a group. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly arguments?: readonly VerbArgument[];
  readonly options?: readonly VerbOption[];
  readonly examples: readonly string[];
  /** It changes nothing: Ctrl-C and `--timeout` end it at once, whatever it waits for. */
  readonly readsOnly?: true;
  /** @returns an exit code; nothing means 0. */
  readonly load: () => Promise<VerbModule>;
}

export interface VerbModule {
  // Each verb knows the options that it declared.
  // oxlint-disable-next-line typescript/no-explicit-any
  run(context: Context<any>, ...args: readonly (string | undefined)[]): Promise<number | void>;
}

export const cluster: VerbArgument = {
  usage: '[cluster]',
  description: "id of the cluster; default: the config file's",
};

export const allowStateLoss: VerbOption = {
  flags: '--allow-state-loss',
  description: 'go on although running jobs lose what they have computed so far',
};
export const rollbackOnFailure: VerbOption = {
  flags: '--rollback-on-failure',
  description: 'deploy the previous stable release again when this one does not become healthy',
};
export const lockWait: VerbOption = {
  flags: '--lock-wait <duration>',
  description: 'how long to wait for somebody else who changes the cluster (default: 20s)',
};
export const healthTimeout: VerbOption = {
  flags: '--health-timeout <duration>',
  description: 'how long the cluster may take until it is healthy (default: 60s)',
};
export const noHooks: VerbOption = { flags: '--no-hooks', description: 'do not run .fctl/hooks' };
export const taskManagers: VerbOption = { flags: '--taskmanagers <n>', description: 'how many' };
