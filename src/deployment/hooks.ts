/**
 * Hooks: executables of the user beside the config file that run around a deployment. Their environment
 * is documented in docs/lifecycle.md.
 *
 * W1  A hook is a process group of its own and ends with fctl: when it is told to end, and at the latest
 *     when it does.
 * W2  No secret is in what it is told nor in what it printed, wherever that was cut into chunks. (It may
 *     read them itself: its environment is that of fctl.)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DeploymentError, problem } from '../contract/errors.ts';
import type { Redactor } from '../contract/secrets.ts';
import type { OnDeployEvent } from './operation/progress.ts';

const HookName = {
  preDeploy: 'pre-deploy',
  postDeploy: 'post-deploy',
  onFailure: 'on-failure',
} as const;
type HookName = (typeof HookName)[keyof typeof HookName];

const graceMs = 5000;
const outputGraceMs = 1000;

export interface Hooks {
  /** Folder of the hooks; it need not be there. */
  readonly dir: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What they print, without secrets. */
  readonly onOutput: (bytes: Uint8Array) => void;
  readonly redactor: Pick<Redactor, 'mask' | 'stream' | 'stringify'>;
}

/** What a hook is told, beside its name. `null`: the variable is not set. */
export interface HookFacts {
  readonly FCTL_CLUSTER: string;
  readonly FCTL_MODE: string;
  readonly FCTL_PROVIDER: string;
  /** `deploy`, `rollback`, `scale`, `restart` */
  readonly FCTL_OPERATION: string;
  readonly FCTL_RELEASE: string;
  readonly FCTL_PREVIOUS_RELEASE: string | null;
  readonly FCTL_REST: string | null;
  readonly FCTL_ERROR: string | null;
  readonly FCTL_ROLLED_BACK_TO: string | null;
}

/** The executable of a hook; `null`: there is none. @throws ConfigError when it cannot be executed. */
async function findHook({ dir }: Hooks, name: HookName): Promise<string | null> {
  const file = join(dir, name);
  const there = await stat(file).catch(() => null);
  if (there === null) return null;
  const isUsable =
    there.isFile() &&
    (await access(file, constants.X_OK).then(
      () => true,
      () => false,
    ));
  if (isUsable) return file;
  throw new ConfigError(
    problem({
      code: 'hook-not-executable',
      message: `the hook ${name} is not an executable file`,
      file,
      hint: `chmod +x ${file}, or repeat with --no-hooks`,
    }),
  );
}

/** @throws ConfigError for hooks that cannot be executed, before anything is done. */
export async function checkHooks(hooks: Hooks): Promise<void> {
  for (const name of Object.values(HookName)) await findHook(hooks, name);
}

export interface HookOptions {
  /** `null`: none are run. */
  readonly hooks: Hooks | null;
  /** What it finds, as JSON, in the file `FCTL_PLAN`. */
  readonly plan: unknown;
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
}

/**
 * Runs a hook, where there is one.
 * @throws DeploymentError when it fails; what `signal` was aborted with.
 */
export async function runHook(
  name: HookName,
  facts: HookFacts,
  { hooks, onEvent, plan, signal }: HookOptions,
): Promise<void> {
  const file = hooks === null ? null : await findHook(hooks, name);
  if (hooks === null || file === null) return;
  signal.throwIfAborted();
  onEvent({ type: 'hook', name });
  const folder = await mkdtemp(join(tmpdir(), 'fctl-hook-'));
  try {
    const planFile = join(folder, 'plan.json');
    const { redactor } = hooks;
    await writeFile(planFile, redactor.stringify(plan), { mode: 0o600 });
    const error = facts.FCTL_ERROR === null ? null : redactor.mask(facts.FCTL_ERROR);
    const told = Object.entries({
      ...facts,
      FCTL_ERROR: error,
      FCTL_HOOK: name,
      FCTL_PLAN: planFile,
    });
    const child = spawn(file, [], {
      cwd: hooks.workingDirectory,
      env: {
        ...hooks.environment,
        ...Object.fromEntries(told.map(([key, v]) => [key, v ?? undefined])),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // W1
    });
    await endOf(child, name, file, hooks, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function endOf(
  child: ChildProcess,
  name: HookName,
  file: string,
  { onOutput, redactor }: Hooks,
  signal: AbortSignal,
): Promise<void> {
  const outputs = [child.stdout!, child.stderr!].map((stream) => ({
    stream,
    masked: redactor.stream(),
  }));
  for (const { masked, stream } of outputs) {
    stream.on('data', (chunk: Buffer) => onOutput(masked.write(chunk))); // W2
  }
  let timer: NodeJS.Timeout | undefined;
  const kill = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, how);
    } catch {
      // It has ended.
    }
  };
  const killNow = () => kill('SIGKILL');
  const stop = () => {
    kill('SIGTERM');
    timer = setTimeout(killNow, graceMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', killNow); // W1
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      const end = (code: number | null, by: NodeJS.Signals | null) =>
        resolve(code ?? 128 + os.signals[by!]);
      child.once('close', end);
      // Something that it left running may hold its output open.
      child.once('exit', (code, by) => {
        timer = setTimeout(() => end(code, by), outputGraceMs);
      });
    }).catch((error: Error) => failed(name, `could not be started: ${error.message}`, file));
    signal.throwIfAborted();
    if (exitCode !== 0) failed(name, `failed with exit code ${exitCode}`, file);
  } finally {
    signal.removeEventListener('abort', stop);
    process.off('exit', killNow);
    clearTimeout(timer);
    for (const { masked, stream } of outputs) {
      stream.destroy();
      onOutput(masked.end());
    }
    if (signal.aborted) killNow(); // what it started, too
  }
}

function failed(name: HookName, how: string, file: string): never {
  throw new DeploymentError(
    problem({
      code: 'hook-failed',
      message: `the hook ${name} ${how}`,
      file,
      hint: name === HookName.preDeploy ? 'nothing was changed' : null,
    }),
  );
}
