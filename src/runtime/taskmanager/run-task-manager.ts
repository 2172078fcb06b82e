/** The TaskManager as a process: its config, token, log, signals and exit code. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from '../../contract/clock.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { ProcessExit } from '../../contract/process-exit.ts';
import type { TaskManagerConfig } from '../../contract/runtime-config.ts';
import { Redactor } from '../../contract/secrets.ts';
import { hasEnded } from '../ha/ended.ts';
import { openRecord } from '../ha/record.ts';
import { type Logger, createLogger, createOutput } from '../logging/logger.ts';
import { startReporters } from '../metrics/prometheus-reporter.ts';
import { readTaskManagerConfig } from '../process-config.ts';
import { onTermination, stayAlive } from '../termination.ts';
import { BundleCache } from './bundle-cache.ts';
import { runLeaderSession } from './leader-session.ts';
import { TaskManager } from './task-manager.ts';

/**
 * A platform that ends all processes of a cluster may begin with any of them. One that runs tasks lets its
 * JobManager go first, so long: that one would take it for lost, and fail the jobs.
 */
const jobManagerFirstMs = 2000;

type ExitNow = (code: number) => void;

/**
 * Runs a TaskManager to its end.
 * @param slotScript the built script of `slot-thread.ts`.
 * @param exitNow ends the process at once, whatever its threads do.
 * @returns the exit code, a `ProcessExit`.
 */
export async function runTaskManager(slotScript: URL, exitNow: ExitNow): Promise<number> {
  stayAlive();
  const config = await readTaskManagerConfig(process.env);
  const redactor = new Redactor();
  const logger = createLogger(config.logging, config.resourceId, { redactor });
  return new Promise<number>((resolve) => {
    const crash = (error: unknown) => {
      logger.error('the TaskManager crashed', { error });
      process.stderr.write(`the TaskManager crashed: ${(error as Error).message}\n`);
      resolve(ProcessExit.failed);
    };
    process.once('uncaughtException', crash);
    process.once('unhandledRejection', crash);
    run(config, logger, redactor, slotScript, exitNow).then(resolve, crash);
  });
}

async function run(
  config: TaskManagerConfig,
  logger: Logger,
  redactor: Redactor,
  slotScript: URL,
  exitNow: ExitNow,
): Promise<number> {
  const { clusterId, release, slots, workDir } = config;
  logger.info('TaskManager starts', {
    pid: process.pid,
    node: process.version,
    clusterId,
    release,
    slots,
  });
  // Before it reads what may be gone with the cluster. Elsewhere it needs the token to look.
  if (config.record.startsWith('file:') && (await hasEnded(openRecord(config.record)))) {
    logger.info('TaskManager ends: the cluster has ended, there is an outcome of its release');
    return ProcessExit.over;
  }
  setFlagsFromString('--expose-gc'); // For the slots: see MemoryGuard.
  enterWorkingDirectory(config, logger);
  const token = await readToken(config);
  const end = new AbortController();
  const leave = new AbortController();
  let exitCode: number = ProcessExit.over;
  const resourceId = `${config.resourceId}/${randomBytes(8).toString('hex')}`;
  const stop = (why: string) => {
    if (!end.signal.aborted) logger.info(`TaskManager ends: ${why}`);
    end.abort();
  };
  const taskManager = new TaskManager({
    config,
    resourceId,
    token,
    slotScript,
    bundles: new BundleCache(join(workDir, 'blobs'), (message) => logger.warn(message)),
    files: new BundleCache(join(workDir, 'files'), (message) => logger.warn(message), ''),
    logger,
    redactor,
    output: createOutput(config.logging, config.resourceId, redactor),
    // The JobManager gets its answer first.
    dismissed: () => setImmediate(() => stop('the JobManager dismissed it')),
    unstoppable: (why) => {
      const code = end.signal.aborted ? exitCode : ProcessExit.fatal;
      logger.error(
        `TaskManager ends with code ${code}: ${why}, which only the end of the process ends. ` +
          'The platform starts it again; the jobs that ran here fail over',
      );
      setImmediate(exitNow, code); // The JobManager is told first.
    },
  });
  const reporters = startReporters(config.reporters, {
    bind: config.bind,
    clock: systemClock,
    logger,
    redactor,
    measure: () => taskManager.measured(),
  });
  onTermination((signal) => {
    if (end.signal.aborted) return;
    exitCode = ProcessExit.terminated;
    if (!taskManager.hasThreads) return stop(`got ${signal}`);
    logger.info(`TaskManager got ${signal}: its JobManager goes first`);
    leave.abort();
    setTimeout(() => stop('its JobManager stays'), jobManagerFirstMs).unref();
  });
  const ended = await runLeaderSession({
    config,
    resourceId,
    token,
    taskManager,
    logger,
    signal: end.signal,
    leave: leave.signal,
  });
  if (ended === 'no-jobmanager') exitCode = orphanExit(process.env);
  await taskManager.abandonLeader();
  for (const reporter of reporters) reporter.close();
  if (taskManager.hasThreads) exitNow(exitCode);
  return exitCode;
}

const orphanExit = (environment: Readonly<Record<string, string | undefined>>): number =>
  Number(environment[ProcessEnvironment.orphanExit] ?? ProcessExit.noJobManager);

/** Relative paths of user code are relative to the project, where this machine has it. */
function enterWorkingDirectory({ workingDirectory }: TaskManagerConfig, logger: Logger): void {
  try {
    process.chdir(workingDirectory);
  } catch (error) {
    logger.debug(`no working directory ${workingDirectory}: ${(error as Error).message}`);
  }
}

async function readToken({ auth }: TaskManagerConfig): Promise<string | null> {
  if (auth === 'none') return null;
  const file = process.env[ProcessEnvironment.tokenFile];
  if (file === undefined)
    throw new Error(`${ProcessEnvironment.tokenFile} names no file with the token`);
  return (await readFile(file, 'utf8')).trim();
}
