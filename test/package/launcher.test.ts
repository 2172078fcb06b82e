/** bin/fctl.js with a command line of our own behind it, under a Node.js that claims to be old. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const launcher = join(import.meta.dirname, '../../bin/fctl.js');
const platform = `${process.platform}-${process.arch}`;

let folder: string;

function file(path: string, content: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
  return join(folder, path);
}

/** The Node.js of this test, where the launcher looks for one. */
function offerNode(packageFolder: string): void {
  mkdirSync(join(folder, packageFolder, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(folder, packageFolder, 'bin/node'));
}

/** Runs the launcher under a Node.js of the given version. */
function launch(version: string, ...args: readonly string[]): ChildProcess {
  const pretend = file(
    'pretend.cjs',
    `Object.defineProperty(process, 'version', { value: '${version}' });`,
  );
  return spawn(process.execPath, ['-r', pretend, join(folder, 'bin/fctl.js'), ...args], {
    env: { XDG_CACHE_HOME: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess) {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { code, signal, stdout, stderr };
}

/** A command line that says its process id and waits for a signal. */
const waiting = `
  process.once('SIGTERM', () => { process.exitCode = 7; clearInterval(timer); });
  const timer = setInterval(() => {}, 1000);
  console.log(process.pid);
`;

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout!, 'data');
  return String(chunk).trim();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fctl-launcher-'));
  file('package.json', '{ "type": "module" }');
  file('dist/cli.js', 'console.log(process.argv.slice(2).join()); process.exitCode = 5;');
  mkdirSync(join(folder, 'bin'));
  cpSync(launcher, join(folder, 'bin/fctl.js'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a Node.js that is new enough', () => {
  it.each(['v22.18.0', 'v24.0.0'])('runs the command line itself (%s)', async (version) => {
    const result = await ended(launch(version, 'list', '--json'));
    expect(result).toEqual({ code: 5, signal: null, stdout: 'list,--json\n', stderr: '' });
  });

  it('says how to build what is not built', async () => {
    rmSync(join(folder, 'dist'), { recursive: true });
    const { code, stderr } = await ended(launch('v24.0.0'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('npm run build') });
  });
});

describe('an older Node.js', () => {
  it("runs the command line with the repository's own", async () => {
    offerNode(`node_modules/node-${platform}`);
    const result = await ended(launch('v22.17.1', 'list', '--json'));
    expect(result).toEqual({ code: 5, signal: null, stdout: 'list,--json\n', stderr: '' });
  });

  it('runs the command line with one that fctl fetched', async () => {
    offerNode('cache/fctl/node/20.1.0-' + platform);
    offerNode('cache/fctl/node/24.1.0-plan9-mips');
    const old = await ended(launch('v20.1.0'));
    expect(old).toMatchObject({ code: 2, stderr: expect.stringMatching(/needs Node.js 22.18/) });
    offerNode('cache/fctl/node/24.1.0-' + platform);
    expect(await ended(launch('v20.1.0', 'x'))).toMatchObject({ code: 5, stdout: 'x\n' });
  });

  it('says what to install when there is none', async () => {
    const { code, stderr } = await ended(launch('v18.0.0'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs Node.js 22.18 or newer; this is v18.0.0/);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('hands %s on', async (signal) => {
    offerNode(`node_modules/node-${platform}`);
    file('dist/cli.js', waiting.replace('SIGTERM', signal));
    const child = launch('v20.0.0');
    await firstLine(child);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  it('ends by the signal that ended the command line', async () => {
    offerNode(`node_modules/node-${platform}`);
    file('dist/cli.js', waiting);
    const child = launch('v20.0.0');
    process.kill(Number(await firstLine(child)), 'SIGKILL');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });
});
