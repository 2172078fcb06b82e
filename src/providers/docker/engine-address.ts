/**
 * Which Docker engine is meant, by the rules of Docker's own client.
 *
 * A context or host of the config comes first; then `DOCKER_HOST`, `DOCKER_CONTEXT`, the context in use
 * (`currentContext` of Docker's config file), and the socket where engines usually listen.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedDocker } from '../../config/providers/docker.ts';
import { ConfigError, problem } from '../../contract/errors.ts';
import { sha256 } from '../../contract/hash.ts';

export type EngineAddress = (
  | { readonly transport: 'unix'; readonly socketPath: string }
  | {
      readonly transport: 'tcp';
      readonly host: string;
      readonly port: number;
      /** `null`: without TLS. */
      readonly tls: TlsFiles | null;
    }
  | {
      readonly transport: 'ssh';
      readonly host: string;
      readonly user: string | null;
      readonly port: number | null;
      /** On the other machine; `null`: where its Docker client looks. */
      readonly socketPath: string | null;
    }
) & {
  /** For people: `DOCKER_HOST`, `context 'remote'`. */
  readonly origin: string;
};

export interface TlsFiles {
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`. Of a context any of them may be missing. */
  readonly folder: string;
  readonly verify: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Chosen = Pick<ResolvedDocker, 'host' | 'context' | 'certPath'>;

const defaultSocket = '/var/run/docker.sock';
const plainPort = 2375;
const tlsPort = 2376;

/** @throws ConfigError naming what is wrong with the host or context. */
export async function findEngine(chosen: Chosen, environment: Environment): Promise<EngineAddress> {
  const folder = environment['DOCKER_CONFIG'] || join(homedir(), '.docker');
  if (chosen.host !== null && chosen.context !== null) {
    throw new ConfigError(
      problem({
        code: 'invalid-value',
        message: 'an engine is named twice: by host and by context',
        path: '/providers/docker/context',
        hint: 'leave one of them out',
      }),
    );
  }
  const tls = tlsOf(chosen, environment, folder);
  const byHost = (host: string, origin: string) => ({ ...parseHost(host, origin, tls), origin });
  const byContext = (name: string, origin: string) =>
    name === 'default'
      ? byHost(environment['DOCKER_HOST'] || `unix://${defaultSocket}`, "context 'default'")
      : readContext(folder, name, origin, chosen.certPath);
  if (chosen.context !== null) return byContext(chosen.context, 'providers.docker.context');
  if (chosen.host !== null) return byHost(chosen.host, 'providers.docker.host');
  if (environment['DOCKER_HOST']) return byHost(environment['DOCKER_HOST'], 'DOCKER_HOST');
  if (environment['DOCKER_CONTEXT'])
    return byContext(environment['DOCKER_CONTEXT'], 'DOCKER_CONTEXT');
  const current = await currentContext(folder);
  if (current !== null) return byContext(current, join(folder, 'config.json'));
  return byHost(`unix://${defaultSocket}`, 'the default');
}

function tlsOf({ certPath }: Chosen, environment: Environment, folder: string): TlsFiles | null {
  if (certPath !== null) return { folder: certPath, verify: true };
  const verify = Boolean(environment['DOCKER_TLS_VERIFY']);
  if (!verify && !environment['DOCKER_TLS']) return null;
  return { folder: environment['DOCKER_CERT_PATH'] || folder, verify };
}

/**
 * `unix:///path`, `tcp://host[:port]`, `ssh://[user@]host[:port][/path]`; without a scheme it is TCP.
 * @param origin where it was named, for people.
 * @throws ConfigError
 */
export function parseHost(text: string, origin: string, tls: TlsFiles | null): EngineAddress {
  const refuse = (why: string) =>
    new ConfigError(
      problem({
        code: 'invalid-value',
        message: `'${text}' (${origin}) is no address of a Docker engine: ${why}`,
        path: '/providers/docker/host',
        hint: "for example 'unix:///var/run/docker.sock', 'tcp://10.0.0.1:2376' or 'ssh://user@host'",
      }),
    );
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length) || defaultSocket;
    if (!socketPath.startsWith('/')) throw refuse('the path of a socket must be absolute');
    return { transport: 'unix', socketPath, origin };
  }
  const full = text.includes('://') ? text : `tcp://${text}`;
  const scheme = full.slice(0, full.indexOf('://'));
  if (!['tcp', 'http', 'https', 'ssh'].includes(scheme)) {
    throw refuse(`nothing is known of '${scheme}'`);
  }
  // The parser of URLs knows users, ports and IPv6 for this scheme.
  const url = URL.parse(`ssh${full.slice(scheme.length)}`);
  if (url === null || url.hostname === '') throw refuse('it names no host');
  if (url.password !== '') throw refuse('a password has no place in it');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host.startsWith('-') || url.username.startsWith('-')) throw refuse('it begins with a dash');
  const port = url.port === '' ? null : Number(url.port);
  const path = url.pathname.replace(/\/$/, '');
  if (scheme === 'ssh') {
    // It becomes a word of a command line over there.
    if (!/^[\w./@:+,=~-]*$/.test(path)) throw refuse('its path has characters that a shell reads');
    const user = decodeURIComponent(url.username) || null;
    return { transport: 'ssh', host, user, port, socketPath: path || null, origin };
  }
  if (path !== '' || url.username !== '') throw refuse('only a host and a port can be in it');
  const used = scheme === 'https' ? (tls ?? { folder: '', verify: true }) : tls;
  return {
    transport: 'tcp',
    host,
    port: port ?? (used === null ? plainPort : tlsPort),
    tls: used,
    origin,
  };
}

async function currentContext(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const { currentContext: name } = JSON.parse(text) as { currentContext?: unknown };
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null; // Docker's own client only warns, too.
  }
}

interface ContextFile {
  readonly Endpoints?: {
    readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean };
  };
}

async function readContext(
  folder: string,
  name: string,
  origin: string,
  certPath: string | null,
): Promise<EngineAddress> {
  const id = sha256(name);
  const file = join(folder, 'contexts', 'meta', id, 'meta.json');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    throw new ConfigError(
      problem({
        code: 'no-such-context',
        message: `there is no Docker context '${name}' (${origin})`,
        path: '/providers/docker/context',
        hint: "'docker context ls' shows all",
      }),
    );
  }
  const endpoint = readEndpoint(text, file);
  const files = join(folder, 'contexts', 'tls', id, 'docker');
  const hasTls = await readFile(join(files, 'ca.pem')).then(
    () => true,
    () => false,
  );
  const tls =
    certPath === null
      ? hasTls || endpoint.SkipTLSVerify
        ? { folder: files, verify: !endpoint.SkipTLSVerify }
        : null
      : { folder: certPath, verify: true };
  const where = `context '${name}'`;
  return { ...parseHost(endpoint.Host ?? '', where, tls), origin: where };
}

function readEndpoint(text: string, file: string) {
  try {
    const { Endpoints } = JSON.parse(text) as ContextFile;
    return Endpoints?.docker ?? {};
  } catch (error) {
    const message = `the Docker context cannot be read: ${(error as Error).message}`;
    throw new ConfigError(problem({ code: 'invalid-file', message, file }), { cause: error });
  }
}

/** For people. */
export function describeEngine(address: EngineAddress): string {
  const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);
  if (address.transport === 'unix') return `unix://${address.socketPath}`;
  const port = address.port === null ? '' : `:${address.port}`;
  if (address.transport === 'tcp') return `tcp://${bracketed(address.host)}${port}`;
  const user = address.user === null ? '' : `${address.user}@`;
  return `ssh://${user}${bracketed(address.host)}${port}${address.socketPath ?? ''}`;
}

/** Whether the engine runs on this machine: what it publishes on loopback is reached from here. */
export function isHere(address: EngineAddress): boolean {
  if (address.transport === 'unix') return true;
  return address.transport === 'tcp' && /^(localhost|127(\.\d+){3}|::1)$/.test(address.host);
}
