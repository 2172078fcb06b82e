import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  fromOutput,
  readSshConfig,
  subset,
} from '../../../../src/providers/standalone/ssh/ssh-config.ts';
import { parseJump, resolveTarget } from '../../../../src/providers/standalone/ssh/target.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-ssh-config-'));
  await mkdir(join(home, '.ssh'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const config = `
Host h1 *.lab
  HostName 10.0.0.%h
  User flink
  Port 2222
  IdentityFile ~/.ssh/lab-%r
  ProxyJump gate
  UserKnownHostsFile ~/.ssh/lab_hosts /etc/lab
Host *
  User everybody
  IdentityFile ~/.ssh/common
`;
const expected = {
  hostName: '10.0.0.h1',
  user: 'flink',
  port: 2222,
  proxyJump: 'gate',
  proxyCommand: null,
  identitiesOnly: false,
};

describe('~/.ssh/config', () => {
  it('without an ssh client: the first value counts, identity files add up', async () => {
    await writeFile(join(home, '.ssh/config'), config);
    const found = await readSshConfig('h1', null, { homeDir: home, ssh: null });
    expect(found).toMatchObject(expected);
    expect(found.identityFiles).toEqual([join(home, '.ssh/lab-flink'), join(home, '.ssh/common')]);
    expect(found.knownHostsFiles).toEqual([join(home, '.ssh/lab_hosts'), '/etc/lab']);
    const other = await readSshConfig('elsewhere', null, { homeDir: home, ssh: null });
    expect(other).toMatchObject({ hostName: null, user: 'everybody', port: null, proxyJump: null });
  });

  it('says the same with the ssh client', async ({ skip }) => {
    try {
      execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    } catch {
      skip('there is no ssh client');
    }
    await writeFile(join(home, '.ssh/config'), config);
    const found = await readSshConfig('h1', null, { homeDir: home, ssh: 'ssh' });
    expect(found).toMatchObject(expected);
    expect(found.knownHostsFiles.at(-1)).toBe('/etc/lab');
    await writeFile(join(home, '.ssh/config'), 'Host h1\n  Prot 22\n');
    await expect(readSshConfig('h1', null, { homeDir: home, ssh: 'ssh' })).rejects.toThrow(
      /does not understand its configuration/,
    );
  });

  it('takes an ssh client that is gone for none', async () => {
    await writeFile(join(home, '.ssh/config'), config);
    const found = await readSshConfig('h1', null, { homeDir: home, ssh: join(home, 'no-ssh') });
    expect(found).toMatchObject(expected);
  });

  it('runs nothing that stands in it', async () => {
    const trap = join(home, 'trap');
    const text = `Match exec "touch ${trap}"\n  User evil\nHost h1\n  User good\n`;
    expect((await subset(text, 'h1', home)).user).toBe('good');
    await expect(import('node:fs/promises').then((fs) => fs.stat(trap))).rejects.toThrow('ENOENT');
  });

  it('survives whatever stands in the file, and whatever ssh -G says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string()), fc.domain(), async (lines, host) => {
        const noise = lines.map((line) => `#${line.replaceAll('\n', ' ')}`).join('\n');
        const found = await subset(`${noise}\nHost ${host}\n  Port 2222\n`, host, home);
        expect(found.port).toBe(2222);
        expect(fromOutput(`${lines.join('\n')}\nproxyjump gate`, host, home)).toBeTypeOf('object');
      }),
    );
  });

  it('gives what it was given', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const found = fromOutput(`hostname ${host}\nport ${port}\nuser me-too\n`, 'alias', home);
        expect(found).toMatchObject({ hostName: host, port, user: 'me-too' });
      }),
    );
  });
});

describe('targets', () => {
  const login = { address: 'h1', user: null, port: null, identityFile: null, jump: null };

  it('config first, then ~/.ssh/config, then defaults', async () => {
    await writeFile(join(home, '.ssh/config'), config);
    const source = { homeDir: home, ssh: null };
    const found = await resolveTarget(login, source, home);
    expect(found).toMatchObject({ hostName: '10.0.0.h1', port: 2222, user: 'flink' });
    expect(found.jumps).toMatchObject([{ address: 'gate', user: 'everybody', port: 22 }]);
    const said = { ...login, user: 'me', port: 22, jump: 'none', identityFile: '/key' };
    expect(await resolveTarget(said, source, home)).toMatchObject({
      user: 'me',
      port: 22,
      jumps: [],
      identityFiles: [{ file: '/key', optional: false }],
    });
    expect(await resolveTarget(login, null, home)).toMatchObject({
      hostName: 'h1',
      port: 22,
      user: userInfo().username,
      jumps: [],
    });
  });

  it('fills the ProxyCommand of a host in, and leaves it out where the config says the way', async () => {
    const config =
      'Host h1\n  HostName host-1\n  User joe\n  ProxyCommand nc %h %p %n %r 100%% %k\n';
    await writeFile(join(home, '.ssh/config'), config);
    const source = { homeDir: home, ssh: null };
    const found = await resolveTarget({ ...login, user: null }, source, home);
    expect(found).toMatchObject({ proxyCommand: 'nc host-1 22 h1 joe 100% %k', jumps: [] });
    const straight = await resolveTarget({ ...login, jump: 'none' }, source, home);
    expect(straight.proxyCommand).toBeNull();
    const through = await resolveTarget({ ...login, jump: 'h1' }, source, home);
    expect(through.jumps).toMatchObject([{ hostName: 'host-1', proxyCommand: null }]);
  });

  it('refuses a jump that is none, by name', async () => {
    const source = { homeDir: home, ssh: null };
    const jumping = resolveTarget({ ...login, jump: 'a b' }, source, home);
    await expect(jumping).rejects.toThrow("'a b' is no host to jump through");
  });

  it('reads jumps as ssh -J does', () => {
    expect(parseJump('me@gate:2222')).toEqual({ address: 'gate', user: 'me', port: 2222 });
    expect(parseJump('[::1]:22')).toEqual({ address: '::1', user: null, port: 22 });
    expect(parseJump('gate')).toEqual({ address: 'gate', user: null, port: null });
    expect(parseJump('gate:0')).toBeNull();
    expect(parseJump('gate:99999')).toBeNull();
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        expect(parseJump(`u@${address}:${port}`)).toEqual({ address, port, user: 'u' });
      }),
    );
  });
});
