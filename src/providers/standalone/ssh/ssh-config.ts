/**
 * What `~/.ssh/config` says of a host: as the ssh client understands it (`ssh -G`), and where there is no
 * ssh client a subset: Host and Match host, HostName, User, Port, IdentityFile, IdentitiesOnly,
 * ProxyJump, ProxyCommand, UserKnownHostsFile, with `%h %r %p %d %u %%` and `~`; no Include.
 *
 * StrictHostKeyChecking does not count: `providers.standalone.hostKeys` alone says which keys are taken.
 */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProviderError, problem } from '../../../contract/errors.ts';
import { localUser } from '../../../contract/user.ts';

const run = promisify(execFile);

/** `null` and empty: not said. */
export interface HostSettings {
  readonly hostName: string | null;
  readonly user: string | null;
  readonly port: number | null;
  /** Absolute. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  readonly proxyJump: string | null;
  readonly proxyCommand: string | null;
  /** Absolute. */
  readonly knownHostsFiles: readonly string[];
}

export interface SshConfigSource {
  /** Absolute; of the user that fctl runs for. */
  readonly homeDir: string;
  /** The ssh client; `null`: there is none. */
  readonly ssh: string | null;
}

const nothing: HostSettings = {
  hostName: null,
  user: null,
  port: null,
  identityFiles: [],
  identitiesOnly: false,
  proxyJump: null,
  proxyCommand: null,
  knownHostsFiles: [],
};

/** @param user is given to `Match user`; `null`: it is not known yet. */
export async function readSshConfig(
  host: string,
  user: string | null,
  source: SshConfigSource,
): Promise<HostSettings> {
  const file = join(source.homeDir, '.ssh', 'config');
  // The client looks into the home of the password file, whatever HOME says, and refuses who is not in it.
  const { homeDir } = localUser();
  if (source.ssh === null || homeDir === null) return readSubset(host, file, source.homeDir);
  const elsewhere = source.homeDir !== homeDir;
  if (elsewhere && !(await isReadable(file))) return nothing;
  const args = ['-G', ...(elsewhere ? ['-F', file] : []), ...(user === null ? [] : ['-l', user])];
  try {
    const { stdout } = await run(source.ssh, [...args, '--', host]);
    return fromOutput(stdout, host, source.homeDir);
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') return readSubset(host, file, source.homeDir);
    throw unusable(file, stderr?.trim() || (error as Error).message, error);
  }
}

const isReadable = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

function unusable(file: string, why: string, cause: unknown): ProviderError {
  return new ProviderError(
    problem({
      code: 'ssh-config-invalid',
      message: `the ssh client does not understand its configuration: ${why.split('\n')[0]}`,
      file,
      hint: 'mend the file, or set providers.standalone.sshConfig: false',
    }),
    { cause },
  );
}

/** Reads what `ssh -G` prints: one `key value` a line. Values that are its defaults are left out. */
export function fromOutput(text: string, host: string, homeDir: string): HostSettings {
  const values = Map.groupBy(
    text.split('\n').map((line) => {
      const at = line.indexOf(' ');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
    ([key]) => key,
  );
  const all = (key: string) => (values.get(key) ?? []).map(([, value]) => value);
  const one = (key: string) => all(key)[0] ?? null;
  const set = (value: string | null) => (value === null || value === 'none' ? null : value);
  const hostName = one('hostname');
  const user = one('user');
  const known = (one('userknownhostsfile') ?? '').split(' ').filter((name) => name !== '');
  return {
    hostName: hostName === host ? null : hostName,
    user: user === localUser().name ? null : user,
    port: one('port') === null ? null : Number(one('port')),
    identityFiles: all('identityfile').map((file) => absolute(file, homeDir)),
    identitiesOnly: one('identitiesonly') === 'yes',
    proxyJump: set(one('proxyjump')),
    proxyCommand: set(one('proxycommand')),
    knownHostsFiles: known.filter((file) => file !== 'none').map((f) => absolute(f, homeDir)),
  };
}

const absolute = (file: string, homeDir: string) =>
  file.startsWith('~/') ? join(homeDir, file.slice(2)) : file;

async function readSubset(host: string, file: string, homeDir: string): Promise<HostSettings> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? nothing : subset(text, host, homeDir);
}

/** The name of no host. */
const nobody = '-';

/** The subset that needs no ssh client. */
export async function subset(text: string, host: string, homeDir: string): Promise<HostSettings> {
  const { default: SshConfig } = await import('ssh-config');
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*Include\b/i.test(line))
    // It would run a command: the section is for no host then.
    .map((line) => (/^\s*Match\b.*\bexec\b/i.test(line) ? `Host ${nobody}` : line));
  const found = SshConfig.parse(lines.join('\n')).compute(host, { ignoreCase: true }) as Record<
    string,
    string | string[] | undefined
  >;
  const all = (key: string) => [found[key] ?? []].flat();
  const one = (key: string) => all(key)[0] ?? null;
  const user = one('user');
  const port = one('port');
  const expand = (value: string) =>
    value.replace(/%([hrpdu%])/g, (_match, letter: string) => {
      const local = localUser().name;
      const values: Record<string, string> = {
        h: expandHost(one('hostname'), host),
        r: user ?? local,
        p: port ?? '22',
        d: homeDir,
        u: local,
        '%': '%',
      };
      return values[letter]!;
    });
  const file = (value: string) => absolute(expand(value), homeDir);
  const set = (value: string | null) => (value === null || value === 'none' ? null : value);
  return {
    hostName: one('hostname') === null ? null : expandHost(one('hostname'), host),
    user,
    port: port !== null && /^\d+$/.test(port) ? Number(port) : null,
    identityFiles: all('identityfile')
      .filter((value) => value !== 'none')
      .map(file),
    identitiesOnly: one('identitiesonly') === 'yes',
    proxyJump: set(one('proxyjump')),
    proxyCommand: set(one('proxycommand')),
    knownHostsFiles: all('userknownhostsfile')
      .flatMap((value) => value.split(' '))
      .filter((value) => value !== 'none' && value !== '')
      .map(file),
  };
}

const expandHost = (hostName: string | null, host: string) =>
  (hostName ?? host).replaceAll('%h', host).replaceAll('%%', '%');
