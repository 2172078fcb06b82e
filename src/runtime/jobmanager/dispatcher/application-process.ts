/**
 * The JobManager's side of the process that runs `main()`.
 *
 * P1  `ended` resolves once, after the process is gone and its output was passed on: with the result it
 *     sent, or with why it sent none.
 * P2  Processes that `main()` started are not waited for. They may hold the ends of its pipes for as long as
 *     they live, so what the pipes still have is read for `drainMs` and no longer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { ProcessEnvironment } from '../../../contract/environment.ts';
import type { Logger, Output } from '../../logging/logger.ts';
import {
  type ApplicationAnswer,
  type ApplicationEvent,
  type ApplicationResult,
  type ApplicationStart,
  isApplicationResult,
  mainFailure,
} from '../../../contract/application-messages.ts';

/** P2 */
const drainMs = 1000;

export interface ApplicationProcessOptions {
  /** The built script of `application-main.ts`. */
  readonly script: string;
  readonly workingDirectory: string;
  readonly start: ApplicationStart;
  /** What `main()` prints goes here. */
  readonly output: Output;
  /** What it says before its result. */
  readonly onMessage?: (message: ApplicationEvent | ApplicationAnswer) => void;
  readonly logger: Logger;
}

export interface ApplicationProcess {
  /** `null` when it could not be started. */
  readonly pid: number | null;
  readonly ended: Promise<ApplicationResult>;
  /** Kills it, whatever it does. */
  kill(): void;
}

export async function startApplicationProcess(
  options: ApplicationProcessOptions,
): Promise<ApplicationProcess> {
  const { logger, script, start, workingDirectory } = options;
  const there = await stat(workingDirectory).catch(() => null);
  if (!there?.isDirectory()) {
    const message = `the working directory ${workingDirectory} of the application does not exist`;
    return { pid: null, ended: Promise.resolve(mainFailure(message)), kill: () => {} };
  }
  // The heap limit of the JobManager holds for it too: engines know one figure for both.
  const limits = process.execArgv.filter((flag) => flag.startsWith('--max-old-space-size'));
  const child = spawn(process.execPath, [...limits, '--enable-source-maps', script], {
    cwd: workingDirectory,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = watch(child, options);
  // A child that cannot be reached any more says so by its end.
  child.send(start, () => {});
  logger.info('main() started', { pid: child.pid });
  return { pid: child.pid ?? null, ended, kill: () => child.kill('SIGKILL') };
}

/** Ours, but for what only a JobManager needs. */
function environment(): NodeJS.ProcessEnv {
  const {
    [ProcessEnvironment.config]: _config,
    [ProcessEnvironment.tokenFile]: _token,
    ...rest
  } = process.env;
  return rest;
}

function watch(
  child: ChildProcess,
  { logger, onMessage, output }: ApplicationProcessOptions,
): Promise<ApplicationResult> {
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => output.write(chunk));
  }
  let result: ApplicationResult | null = null;
  child.on('message', (message: unknown) => {
    if (isApplicationResult(message)) result ??= message;
    else onMessage?.(message as ApplicationEvent | ApplicationAnswer);
  });
  return new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(mainFailure(`main() could not be started: ${error.message}`)),
    );
    child.once('exit', (code, signal) => {
      const ended = () => {
        clearTimeout(draining);
        logger.info('main() ended', { code, signal, result: result?.type ?? null });
        resolve(result ?? mainFailure(describeDeath(code, signal))); // P1
      };
      child.once('close', ended);
      const draining = setTimeout(() => {
        logger.warn('a process that main() started goes on, and what it prints is dropped'); // P2
        child.off('close', ended);
        child.stdout?.destroy();
        child.stderr?.destroy();
        ended();
      }, drainMs);
    });
  });
}

function describeDeath(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGABRT' || code === 134) {
    return 'the process of main() aborted: most likely it ran out of memory (see its output)';
  }
  return signal !== null
    ? `the process of main() was killed (${signal})`
    : `the process of main() ended with code ${code} before main() did`;
}
