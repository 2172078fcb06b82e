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
  if (said?.proxyCommand && login.jump === null) throw proxyCommand(login.address);
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
  return {
    address: login.address,
    hostName: said?.hostName ?? login.address,
    port: login.port ?? said?.port ?? 22,
    user: login.user ?? said?.user ?? localUser().name,
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

function proxyCommand(address: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'proxy-command',
      message: `~/.ssh/config reaches ${address} by a ProxyCommand, which fctl does not run`,
      hint: "say it with ProxyJump, or with providers.standalone.jump ('none': straight)",
    }),
  );
}
