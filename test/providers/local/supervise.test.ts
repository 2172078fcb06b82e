/** templates/supervise.sh under every shell of this machine, with a clock and naps of our own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessExit } from '../../../src/contract/process-exit.ts';
import { identifyProcess } from '../../../src/providers/local/process-table.ts';
import { eventually } from './eventually.ts';

const script = resolve(import.meta.dirname, '../../../templates/supervise.sh');
const shells = [['sh'], ['dash'], ['bash'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([shell, ...args]) => spawnSync(shell!, [...args, '-c', ':']).status === 0,
);

interface State {
  readonly state: string;
  readonly pid: number;
  readonly identity: string;
  readonly supervisor: { readonly pid: number; readonly identity: string };
  readonly restarts: number;
  readonly lastExit: number | null;
}

let home: string;
let folder: string;
let supervisor: ChildProcess | null = null;
let output = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fctl-supervise-'));
  folder = join(home, 'a process');
  await mkdir(folder);
  output = '';
});
afterEach(async () => {
  const child = supervisor;
  if (child?.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'close');
  }
  supervisor = null;
  await rm(home, { recursive: true });
});

const state = async (): Promise<State | null> =>
  readFile(join(folder, 'process.json'), 'utf8').then(
    (text) => JSON.parse(text) as State,
    () => null,
  );
const reached = (wanted: string) =>
  eventually(async () => {
    const now = await state();
    return now?.state === wanted ? now : null;
  });

interface Settings {
  readonly first?: number;
  readonly stable?: number;
  readonly crashes?: number;
  /** Take the place of the machine's own programs. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts it. `end` resolves with exit code or signal, once all output was read. */
async function start(
  shell: readonly string[],
  command: readonly string[],
  { first = 0, stable = 60, crashes = 10, programs = {}, environment = {} }: Settings = {},
): Promise<{ readonly end: Promise<number | string> }> {
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const settings = [first, 30, stable, crashes].map(String);
  // A shell such as BusyBox's takes its own programs before any others, but functions before those.
  const functions = Object.keys(programs).map((name) => `${name}() { '${join(bin, name)}' "$@"; }`);
  const run =
    functions.length === 0 ? [script] : ['-c', [...functions, '. "$0"'].join('\n'), script];
  const child = spawn(shell[0]!, [...shell.slice(1), ...run, folder, ...settings, ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${bin}:${process.env['PATH']}`, HOME_OF_TEST: home, ...environment },
  });
  supervisor = child;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  await once(child, 'spawn');
  const closed = once(child, 'close');
  return { end: closed.then(([code, signal]) => (code ?? signal) as number | string) };
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  it('hands arguments over as they are and ends with exit code 0', async () => {
    const args = ['a b', '', '*', '"\'$HOME`', 'ü\n'];
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const { end } = await start(shell, [process.execPath, '-e', print, ...args]);
    expect(await end).toBe(0);
    expect(JSON.parse(output)).toEqual(args);
    expect(await state()).toMatchObject({ state: 'ended', restarts: 0, lastExit: 0 });
  });

  it('does not start again a TaskManager that found no JobManager (S1)', async () => {
    const exit = `process.exit(${ProcessExit.noJobManager})`;
    const { end } = await start(shell, [process.execPath, '-e', exit]);
    expect(await end).toBe(ProcessExit.noJobManager);
    expect(await state()).toMatchObject({ state: 'ended', restarts: 0, lastExit: 69 });
  });

  it('says which process it is, and which process it started', async () => {
    await start(shell, ['sleep', '60']);
    const { pid, identity, supervisor: own } = await reached('running');
    expect(await identifyProcess(pid)).toBe(identity);
    expect(own.pid).toBe(supervisor!.pid);
    expect(await identifyProcess(own.pid)).toBe(own.identity);
  });

  it('leaves nothing of a cluster that runs once but record and logs, when all has ended', async () => {
    const cluster = join(home, 'a cluster');
    const names = ['record', 'logs', 'secrets', 'artifacts', 'processes/one', 'processes/two'];
    for (const name of [...names, 'work/one', 'work/two']) {
      await mkdir(join(cluster, name), { recursive: true });
      await writeFile(join(cluster, name, 'file'), 'x');
    }
    const environment = { FCTL_TRANSIENT_CLUSTER: cluster };
    const run = async (name: string, code: string) => {
      folder = join(cluster, 'processes', name);
      const { end } = await start(shell, ['sh', '-c', code], { crashes: 2, environment });
      await end;
      return (await readdir(cluster)).sort().join(' ');
    };
    expect(await run('one', 'exit 3')).toBe('artifacts logs processes record secrets work');
    expect(await run('one', 'exit 0')).toBe('artifacts logs processes record secrets work');
    expect(await readdir(join(cluster, 'processes'))).toEqual(['two']);
    expect(await readdir(join(cluster, 'work'))).toEqual(['two']);
    expect(await run('two', 'exit 0')).toBe('logs record');
  });

  it('waits longer after each crash in a row, and gives up at last', async () => {
    const programs = { sleep: 'echo "$1" >>"$HOME_OF_TEST/naps"' };
    const { end } = await start(shell, ['sh', '-c', 'exit 3'], { first: 1, programs });
    expect(await end).toBe(3);
    const naps = (await readFile(join(home, 'naps'), 'utf8')).trim().split('\n');
    expect(naps).toEqual(['1', '2', '4', '8', '16', '30', '30', '30', '30']);
    expect(await state()).toMatchObject({ state: 'failed', restarts: 9, lastExit: 3 });
    expect(output).toContain('started again after exit code 3 (restart 9)');
    expect(output).toContain('crashed 10 times in a row, at last with exit code 3');
  });

  it('starts at once what ran for long, and begins the row anew', async () => {
    // Every look at the clock is a minute later until the third crash, and a second later then.
    const programs = {
      sleep: 'echo "$1" >>"$HOME_OF_TEST/naps"',
      date: `n=$(cat "$HOME_OF_TEST/clock" 2>/dev/null || echo 1000)
        [ -s "$HOME_OF_TEST/naps" ] || [ $n -ge 1300 ] && n=$((n + 1)) || n=$((n + 60))
        echo $n >"$HOME_OF_TEST/clock"; echo $n`,
    };
    const { end } = await start(shell, ['sh', '-c', 'exit 1'], { first: 5, crashes: 3, programs });
    expect(await end).toBe(1);
    expect(await readFile(join(home, 'naps'), 'utf8')).toBe('5\n10\n');
    expect(await state()).toMatchObject({ state: 'failed', restarts: 4 }); // two at once, two after naps
  });

  it('starts again what was killed', async () => {
    await start(shell, ['sleep', '60']);
    const first = await reached('running');
    process.kill(first.pid, 'SIGKILL');
    const second = await eventually(async () => {
      const now = await state();
      return now?.state === 'running' && now.pid !== first.pid ? now : null;
    });
    expect(second).toMatchObject({ restarts: 1, lastExit: 137 });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on and waits', async (signal) => {
    const script = `process.on('SIGTERM', () => setTimeout(() => process.exit(7), 50));
      console.log('ready'); setInterval(() => {}, 1000)`;
    const { end } = await start(shell, [process.execPath, '-e', script]);
    await eventually(async () => output.includes('ready'));
    supervisor!.kill(signal);
    supervisor!.kill(signal);
    expect(await end).toBe(7);
    expect(await state()).toMatchObject({ state: 'stopped', restarts: 0, lastExit: 7 });
  });

  it('ends at once while it waits to start a process again', async () => {
    const { end } = await start(shell, ['sh', '-c', 'exit 4'], { first: 30 });
    await reached('waiting');
    supervisor!.kill('SIGTERM');
    expect(await end).toBe(4);
    expect(await state()).toMatchObject({ state: 'stopped', restarts: 0 });
  });

  it('starts nothing when its folder is gone', async () => {
    const { end } = await start(shell, ['sleep', '60']);
    const { pid } = await reached('running');
    await rm(folder, { recursive: true });
    process.kill(pid, 'SIGKILL');
    expect(await end).toBe(137);
    expect(output).not.toContain('supervisor:'); // what the shell itself says of a killed child may stand
  });
});
