/** Where an SSH connection goes and with what: the config, then `~/.ssh/config`, then defaults. */
import { join } from 'node:path';
import { ProviderError, problem } from '../../../contract/errors.ts';
import { localUser } from '../../../contract/user.ts';
import { type HostSettings, type SshConfigSource, readSshConfig } from './ssh-config.ts';

/** What the config says of a login; `null`: nothing. */
export interface LoginOptions {
  readonly address: string;
  readonly user: string | null;
  readonly port: number | null;
  readonly identityFile: string | null;
  readonly jump: string | null;
}

export interface Target {
  /** As the config names it. */
  readonly address: string;
  /** What is connected to. */
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** In the order in which they are tried; those of the default need not be there. */
  readonly identityFiles: readonly { readonly file: string; readonly optional: boolean }[];
  /** Whether keys of the agent that no identity file names are left out. */
  readonly identitiesOnly: boolean;
  /** Beside the config's own. */
  readonly knownHostsFiles: readonly string[];
  /** The command whose input and output are the connection; `null`: one over the network. */
  readonly proxyCommand: string | null;
  /** To go through, in order. */
  readonly jumps: readonly Target[];
}

/** `user@host:port`; brackets around an IPv6 address. */
export function parseJump(text: string): Pick<LoginOptions, 'address' | 'port' | 'user'> | null {
  const match = /^(?:ssh:\/\/)?(?:([^@\s]+)@)?(?:\[([^\]]+)\]|([^:@\s]+))(?::(\d{1,5}))?$/.exec(
    text,
  );
  if (match === null) return null;
  const [, user = null, bracketed, plain, port] = match;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return null;
  return { address: bracketed ?? plain!, user, port: port === undefined ? null : Number(port) };
}

/** @param source `null`: `~/.ssh/config` does not count. */
export async function resolveTarget(
  login: LoginOptions,
  source: SshConfigSource | null,
  homeDir: string,
): Promise<Target> {
  return resolve(login, source, homeDir, true);
}

async function resolve(
  login: LoginOptions,
  source: SshConfigSource | null,
  homeDir: string,
  mayJump: boolean,
): Promise<Target> {
  const said = source === null ? null : await readSshConfig(login.address, login.user, source);
  const jump = login.jump ?? said?.proxyJump ?? 'none';
  const names = !mayJump || jump === 'none' ? [] : jump.split(',').map((name) => name.trim());
  const jumps: Target[] = [];
  for (const name of names) {
    const parsed = parseJump(name);
    if (parsed === null) throw invalidJump(name);
    // The key that is for the host is tried at jump hosts too, as a config has but one.
    const { identityFile } = login;
    const hop = { ...parsed, identityFile, jump: 'none' };
    jumps.push(await resolve(hop, source, homeDir, false));
  }
  const way = {
    address: login.address,
    hostName: said?.hostName ?? login.address,
    port: login.port ?? said?.port ?? 22,
    user: login.user ?? said?.user ?? localUser().name,
  };
  // What the config says of the way wins; a host behind others is reached through those.
  const proxyCommand = mayJump && login.jump === null ? (said?.proxyCommand ?? null) : null;
  return {
    ...way,
    proxyCommand: proxyCommand && expandProxyCommand(proxyCommand, way, homeDir),
    identityFiles: identityFiles(login, said, homeDir),
    identitiesOnly: said?.identitiesOnly ?? false,
    knownHostsFiles: said?.knownHostsFiles ?? [],
    jumps,
  };
}

function identityFiles({ identityFile }: LoginOptions, said: HostSettings | null, homeDir: string) {
  if (identityFile !== null) return [{ file: identityFile, optional: false }];
  const defaults = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homeDir, '.ssh', name));
  const files = said && said.identityFiles.length > 0 ? said.identityFiles : defaults;
  return files.map((file) => ({ file, optional: true }));
}

function invalidJump(name: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'jump-invalid',
      message: `'${name}' is no host to jump through`,
      path: '/providers/standalone/jump',
      hint: 'write user@host:port, several with commas',
    }),
  );
}

/** ssh_config(5), TOKENS: those that say of a connection where it goes. Others stay as they are. */
function expandProxyCommand(
  command: string,
  { address, hostName, port, user }: Pick<Target, 'address' | 'hostName' | 'port' | 'user'>,
  homeDir: string,
): string {
  const values: Readonly<Record<string, string>> = {
    h: hostName,
    n: address,
    p: String(port),
    r: user,
    u: localUser().name,
    d: homeDir,
    '%': '%',
  };
  return command.replace(/%(.)/g, (token, letter: string) => values[letter] ?? token);
}
