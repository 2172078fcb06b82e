/** fctl on a terminal: spinner, colours and questions. script(1) makes the terminal. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { AddressInfo } from 'node:net';
import { execa } from 'execa';
import { Server, utils } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, eventually, imports } from './project.ts';

const launcher = resolve(import.meta.dirname, '../../bin/fctl.js');
// That of BSD and macOS takes other options.
const hasScript = spawnSync('script', ['-qec', 'exit 5', '/dev/null']).status === 5;

const escape = '\u001b';
const isSpinning = (text: string) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u.test(text);
const isColoured = (text: string) => new RegExp(`${escape}\\[[0-9;]*m`).test(text);

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

/** Everything that the terminal shows, and the exit code. `input` is typed once the text is there. */
async function onTerminal(
  args: readonly string[],
  {
    environment = {},
    typed,
  }: { environment?: Record<string, string>; typed?: [prompt: string, input: string] } = {},
) {
  const command = `stty cols 100; exec "${process.execPath}" "${launcher}" ${args.join(' ')}`;
  // A spinner does not spin in CI.
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...env } = process.env;
  const child = execa('script', ['-qec', command, '/dev/null'], {
    cwd: project.folder,
    extendEnv: false,
    env: { ...env, FCTL_HOME: project.home, TERM: 'xterm', ...environment },
    reject: false,
    timeout: 100_000,
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => (shown += String(chunk)));
  if (typed !== undefined) {
    await eventually(() => shown.includes(typed[0]));
    child.stdin.write(typed[1]);
  }
  const { exitCode } = await child;
  return { exitCode, shown };
}

describe.skipIf(!hasScript)('on a terminal', () => {
  beforeEach(() =>
    project.write(
      'src/app.ts',
      `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(CollectionSource.of([1])).sinkTo(DiscardSink.create());
});`,
    ),
  );

  it('shows what is done as a spinner, in colours', async () => {
    const { exitCode, shown } = await onTerminal(['deploy']);
    expect(exitCode).toBe(0);
    expect(shown).toContain('create taskmanager-0');
    expect([isSpinning(shown), isColoured(shown)]).toEqual([true, true]);
  });

  it('shows no colour with NO_COLOR', async () => {
    const { exitCode, shown } = await onTerminal(['deploy'], { environment: { NO_COLOR: '1' } });
    expect(exitCode).toBe(0);
    expect([isSpinning(shown), isColoured(shown)]).toEqual([true, false]);
  });

  it('shows only the result with --quiet', async () => {
    const { exitCode, shown } = await onTerminal(['deploy', '--quiet']);
    expect(exitCode).toBe(0);
    expect(shown).toContain('SUCCEEDED');
    expect(shown).not.toContain('create taskmanager-0');
    expect(isSpinning(shown)).toBe(false);
  });

  it('asks before it destroys what runs', async () => {
    await project.write(
      'src/app.ts',
      `${imports}
export const job = defineJob('demo', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 10 })).sinkTo(DiscardSink.create());
});`,
    );
    expect((await project.run('deploy')).exitCode).toBe(0);
    const no = await onTerminal(['destroy'], { typed: ['[y/N]', 'n\n'] });
    expect(no.exitCode).toBe(130);
    expect(no.shown).toContain('nothing was changed');
    expect((await project.run('status')).json.data.state).toBe('RUNNING');
    // Ctrl-C and Ctrl-D.
    const keys = [
      ['\u0003', 'destroy'],
      ['\u0004', 'destroy'],
      ['\u0003', 'destroy --json'],
      ['\u0003', 'prune'],
      ['\u0004', 'prune'],
      ['\u0003', 'destroy --delete-state'],
    ] as const;
    for (const [key, line] of keys) {
      const { exitCode, shown } = await onTerminal(line.split(' '), { typed: ['[y/N]', key] });
      expect(exitCode).toBe(130);
      expect(shown).toContain('nothing was changed');
      expect(shown).not.toContain('bug');
    }
    expect((await project.run('status')).json.data.state).toBe('RUNNING');
    const yes = await onTerminal(['destroy'], { typed: ['[y/N]', 'y\n'] });
    expect(yes.exitCode).toBe(0);
    expect(project.running()).toEqual([]);
  });
});

/** Hosts that are reached by SSH, as far as a question: both refuse whoever has no password. */
describe.skipIf(!hasScript)('a question for a password', () => {
  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('ends the command with %s, and no other host asks', async (_name, key) => {
    const servers = [sshServer(), sshServer()];
    try {
      const ports = await Promise.all(servers.map(listen));
      const hosts = ports.map((port) => `{ address: 127.0.0.1, port: ${port} }`);
      await project.configure(
        'provider: standalone',
        'providers:',
        '  standalone:',
        `    hosts: [${hosts[0]}, ${hosts[1]!.replace('127.0.0.1', 'localhost')}]`,
        '    user: me',
        '    agent: false',
        '    sshConfig: false',
        '    hostKeys: accept-new',
        `    knownHosts: ${project.folder}/known`,
      );
      for (const line of ['list', 'destroy demo --yes']) {
        const { exitCode, shown } = await onTerminal(line.split(' '), {
          typed: ['Password of me', key],
          environment: { SSH_AUTH_SOCK: '', HOME: project.folder },
        });
        expect(exitCode).toBe(130);
        expect(shown).toContain('interrupted at a question');
        expect(shown.split('Password of me')).toHaveLength(2);
      }
    } finally {
      for (const server of servers) server.close();
    }
  });
});

function sshServer(): Server {
  const { private: hostKey } = utils.generateKeyPairSync('ed25519');
  return new Server({ hostKeys: [hostKey] }, (client) => {
    client.on('authentication', (context) => context.reject(['password']));
    client.on('error', () => {});
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
