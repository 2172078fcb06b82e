/** Which engine is meant: hosts, contexts and the environment, by the rules of Docker's own client. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/contract/errors.ts';
import { sha256 } from '../../../src/contract/hash.ts';
import {
  describeEngine,
  findEngine,
  isHere,
  parseHost,
} from '../../../src/providers/docker/engine-address.ts';

const unchosen: Parameters<typeof findEngine>[0] = { host: null, context: null, certPath: null };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-contexts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What `docker context create` writes. */
async function writeContext(name: string, endpoint: object, pem?: string): Promise<void> {
  const id = sha256(name);
  const meta = join(folder, 'contexts/meta', id);
  await mkdir(meta, { recursive: true });
  const content = { Name: name, Metadata: {}, Endpoints: { docker: endpoint } };
  await writeFile(join(meta, 'meta.json'), JSON.stringify(content));
  if (pem === undefined) return;
  const tls = join(folder, 'contexts/tls', id, 'docker');
  await mkdir(tls, { recursive: true });
  await writeFile(join(tls, 'ca.pem'), pem);
}

const find = (chosen: Partial<typeof unchosen>, environment: Record<string, string> = {}) =>
  findEngine({ ...unchosen, ...chosen }, { DOCKER_CONFIG: folder, ...environment });

const hostnames = fc.constantFrom('10.0.0.1', 'docker.example', 'a-b.c', '[::1]', '[fe80::1]');
const ports = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: null });
const users = fc.option(fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/), { nil: null });

describe('parsing a host', () => {
  it('takes apart what it describes, for every host, port and user', () => {
    const parts = fc.record({
      host: hostnames,
      port: ports,
      user: users,
      path: fc.constantFrom(null, '/run/d.sock'),
    });
    fc.assert(
      fc.property(parts, ({ host, path, port, user }) => {
        const text = `ssh://${user === null ? '' : `${user}@`}${host}${port === null ? '' : `:${port}`}${path ?? ''}`;
        const found = parseHost(text, 'here', null);
        const bare = host.replace(/^\[(.*)\]$/, '$1');
        expect(found).toEqual({
          transport: 'ssh',
          host: bare,
          user,
          port,
          socketPath: path,
          origin: 'here',
        });
        expect(describeEngine(found)).toBe(text);
      }),
    );
    fc.assert(
      fc.property(hostnames, ports, fc.boolean(), (host, port, secure) => {
        const tls = secure ? { folder: '/certs', verify: true } : null;
        const found = parseHost(`tcp://${host}${port === null ? '' : `:${port}`}`, 'here', tls);
        expect(found).toMatchObject({
          transport: 'tcp',
          port: port ?? (secure ? 2376 : 2375),
          tls,
        });
      }),
    );
  });

  it('gives an address or a problem for whatever text, nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((s) => `tcp://${s}`),
        ),
        (text) => {
          try {
            expect(parseHost(text, 'here', null).origin).toBe('here');
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
            expect((error as ConfigError).problems[0]!.path).toBe('/providers/docker/host');
          }
        },
      ),
    );
  });

  it.each([
    ['unix://relative', 'absolute'],
    ['npipe:////./pipe/docker', "'npipe'"],
    ['fd://', "'fd'"],
    ['tcp://', 'no host'],
    ['tcp://host/path', 'only a host'],
    ['ssh://user:password@host', 'password'],
    ['ssh://-oProxyCommand=touch', 'dash'],
    ['ssh://host/run/docker.sock;reboot', 'a shell reads'],
    ['ssh://host/run/$(reboot)', 'a shell reads'],
  ])('refuses %s', (text, why) => {
    expect(() => parseHost(text, 'DOCKER_HOST', null)).toThrow(why);
  });

  it('knows which engines are on this machine', () => {
    const here = (text: string) => isHere(parseHost(text, '', null));
    expect(['unix:///x', 'tcp://127.0.0.1:1', 'tcp://localhost', 'tcp://[::1]'].map(here)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['tcp://10.0.0.1', 'ssh://localhost'].map(here)).toEqual([false, false]);
  });
});

describe('finding the engine', () => {
  const named = { context: 'named', host: 'tcp://config:1' };

  it('goes by the precedence of Docker itself', async () => {
    for (const name of ['named', 'by-environment', 'in-use'])
      await writeContext(name, { Host: `tcp://${name}:1` });
    await writeFile(join(folder, 'config.json'), '{"currentContext":"in-use"}');
    const all = { DOCKER_HOST: 'tcp://environment:1', DOCKER_CONTEXT: 'by-environment' };
    const hostOf = async (...args: Parameters<typeof find>) => describeEngine(await find(...args));
    expect(await hostOf({ context: 'named' }, all)).toBe('tcp://named:1');
    expect(await hostOf({ host: named.host }, all)).toBe('tcp://config:1');
    expect(await hostOf({}, all)).toBe('tcp://environment:1');
    expect(await hostOf({}, { DOCKER_CONTEXT: 'by-environment' })).toBe('tcp://by-environment:1');
    expect(await hostOf({})).toBe('tcp://in-use:1');
    expect(await hostOf({ context: 'default' })).toBe('unix:///var/run/docker.sock');
    expect(await hostOf({}, { DOCKER_CONTEXT: 'default' })).toBe('unix:///var/run/docker.sock');
    await rm(join(folder, 'config.json'));
    expect(await hostOf({})).toBe('unix:///var/run/docker.sock');
    await expect(find(named)).rejects.toThrow('named twice');
  });

  it('names the context that is not there', async () => {
    await expect(find({}, { DOCKER_CONTEXT: 'gone' })).rejects.toThrow(
      "no Docker context 'gone' (DOCKER_CONTEXT)",
    );
  });

  it('takes certificates from where Docker does', async () => {
    const tlsOf = async (...args: Parameters<typeof find>) => {
      const found = await find(...args);
      return found.transport === 'tcp' ? found.tls : 'no TCP';
    };
    const host = 'tcp://10.0.0.1';
    expect(await tlsOf({ host })).toBeNull();
    expect(await tlsOf({ host, certPath: '/mine' })).toEqual({ folder: '/mine', verify: true });
    expect(await tlsOf({ host }, { DOCKER_CERT_PATH: '/certs' })).toBeNull();
    expect(await tlsOf({ host }, { DOCKER_CERT_PATH: '/certs', DOCKER_TLS_VERIFY: '1' })).toEqual({
      folder: '/certs',
      verify: true,
    });
    expect(await tlsOf({ host }, { DOCKER_TLS: '1' })).toEqual({ folder, verify: false });
    await writeContext('plain', { Host: host });
    await writeContext('secure', { Host: host, SkipTLSVerify: false }, 'pem');
    await writeContext('careless', { Host: host, SkipTLSVerify: true });
    const own = (name: string) => join(folder, 'contexts/tls', sha256(name), 'docker');
    expect(await tlsOf({ context: 'plain' })).toBeNull();
    expect(await tlsOf({ context: 'secure' })).toEqual({ folder: own('secure'), verify: true });
    expect(await tlsOf({ context: 'careless' })).toEqual({
      folder: own('careless'),
      verify: false,
    });
  });
});
