/** Hooks with real executables: what they are told, how they fail, and that none outlives its deployment. */
import { appendFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, DeploymentError } from '../../src/contract/errors.ts';
import { Redactor } from '../../src/contract/secrets.ts';
import { type HookFacts, type Hooks, checkHooks, runHook } from '../../src/deployment/hooks.ts';
import { eventually } from '../cli/project.ts';

let folder: string;
let printed: string;
let hooks: Hooks;
let onOutput: () => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-hooks-'));
  await mkdir(join(folder, 'hooks'));
  printed = '';
  onOutput = () => {};
  hooks = {
    dir: join(folder, 'hooks'),
    workingDirectory: folder,
    environment: { PATH: process.env['PATH'], MINE: 'as before' },
    onOutput: (bytes) => {
      printed += Buffer.from(bytes).toString();
      onOutput();
    },
    redactor: new Redactor(['hunter2', 'true']),
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const facts: HookFacts = {
  FCTL_CLUSTER: 'demo',
  FCTL_MODE: 'application',
  FCTL_PROVIDER: 'local',
  FCTL_OPERATION: 'deploy',
  FCTL_RELEASE: 'abc',
  FCTL_PREVIOUS_RELEASE: null,
  FCTL_REST: null,
  FCTL_ERROR: null,
  FCTL_ROLLED_BACK_TO: null,
};

async function hook(name: string, script: string, mode = 0o755): Promise<string> {
  const file = join(folder, 'hooks', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, mode);
  return file;
}

const run = (signal = new AbortController().signal, events: string[] = []) =>
  runHook('pre-deploy', facts, {
    hooks,
    plan: { actions: ['create'] },
    signal,
    onEvent: (event) => events.push(event.type),
  });

const runs = (pid: string) =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => !/\) Z /.test(text),
    () => false,
  );

it('tells a hook what it is about, in its folder, with the plan in a file of its own', async () => {
  await hook(
    'pre-deploy',
    'pwd; echo "$FCTL_HOOK $FCTL_CLUSTER $MINE ${FCTL_REST-none}"; cat "$FCTL_PLAN"',
  );
  const events: string[] = [];
  await run(undefined, events);
  const lines = `${folder}\npre-deploy demo as before none\n{"actions":["create"]}`;
  expect(printed).toBe(lines);
  expect(events).toEqual(['hook']);
});

it('runs nothing where there is no hook', async () => {
  const events: string[] = [];
  await run(undefined, events);
  expect(events).toEqual([]);
});

it.each([
  ['exit 3', 'failed with exit code 3'],
  ['kill -KILL $$', 'failed with exit code 137'],
])('fails the deployment with a hook of which `%s` is the end', async (script, how) => {
  await hook('pre-deploy', script);
  const failed = run();
  await expect(failed).rejects.toBeInstanceOf(DeploymentError);
  await expect(failed).rejects.toThrow(`the hook pre-deploy ${how}`);
});

it('refuses hooks that cannot be executed before anything is done', async () => {
  await hook('pre-deploy', 'true');
  await checkHooks(hooks);
  await hook('on-failure', 'true', 0o644);
  await expect(checkHooks(hooks)).rejects.toBeInstanceOf(ConfigError);
  await mkdir(join(folder, 'hooks', 'post-deploy'));
  await expect(checkHooks(hooks)).rejects.toThrow('post-deploy is not an executable file');
});

it('tells of a hook whose interpreter is not there', async () => {
  const file = join(folder, 'hooks', 'pre-deploy');
  await writeFile(file, '#!/no/such/interpreter\n', { mode: 0o755 });
  await expect(run()).rejects.toThrow('could not be started');
});

it('ends a hook, with what it started, when the deployment is interrupted', async () => {
  await hook(
    'pre-deploy',
    'trap "" TERM; sleep 1000 & echo $! > child; echo $$ > self; wait; wait',
  );
  const control = new AbortController();
  const running = run(control.signal);
  const ended = expect(running).rejects.toThrow('stop it');
  const pidOf = (name: string) => readFile(join(folder, name), 'utf8').then((pid) => pid.trim());
  await eventually(async () => (await pidOf('self').catch(() => '')) !== '');
  const pids = [await pidOf('child'), await pidOf('self')];
  control.abort(new Error('stop it'));
  await ended;
  await eventually(async () => !(await runs(pids[0]!)) && !(await runs(pids[1]!)));
});

it('does not wait for what a hook left running with its output', async () => {
  await hook('pre-deploy', 'sleep 1000 & echo $! > child; echo done');
  await run();
  expect(printed).toBe('done\n');
  const child = (await readFile(join(folder, 'child'), 'utf8')).trim();
  expect(await runs(child)).toBe(true);
  process.kill(Number(child), 'SIGKILL');
});

it('starts no hook of a deployment that was interrupted before', async () => {
  await hook('pre-deploy', 'echo ran');
  await expect(run(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  expect(printed).toBe('');
});

describe('secrets', () => {
  it.each(['', '>&2'])('are in nothing that it prints, also in two parts: %s', async (to) => {
    const gate = join(folder, 'gate');
    const wait = `while [ ! -e ${gate} ]; do sleep 0.01; done`;
    await hook('pre-deploy', `printf 'it is hun' ${to}; ${wait}; printf 'ter2, or hun' ${to}`);
    onOutput = () => appendFileSync(gate, '');
    await run();
    expect(printed).toBe('it is ******, or hun');
  });

  it('are in nothing that it is told', async () => {
    await hook('on-failure', 'printf %s "$FCTL_ERROR" > error; cp "$FCTL_PLAN" plan');
    const plan = { changes: true, reason: 'it is hunter2' };
    const { signal } = new AbortController();
    const told = { ...facts, FCTL_ERROR: 'db://me:hunter2@host refused' };
    await runHook('on-failure', told, { hooks, plan, signal, onEvent: () => {} });
    expect(await readFile(join(folder, 'error'), 'utf8')).toBe('db://me:******@host refused');
    expect(JSON.parse(await readFile(join(folder, 'plan'), 'utf8'))).toEqual({
      changes: true,
      reason: 'it is ******',
    });
  });
});
