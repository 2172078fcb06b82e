/** The JobManager as a process: its config, token, log, signals and exit code. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { ProcessExit } from '../../contract/process-exit.ts';
import type { JobManagerConfig } from '../../contract/runtime-config.ts';
import { Redactor, type SecretArguments, textsOf } from '../../contract/secrets.ts';
import { hasEnded } from '../ha/ended.ts';
import { LeadershipLostError } from '../ha/leadership.ts';
import { openRecord } from '../ha/record.ts';
import { createLogger, createOutput, type Logger } from '../logging/logger.ts';
import { createRestServer } from '../rest/server.ts';
import { systemClock } from '../../contract/clock.ts';
import { readJobManagerConfig } from '../process-config.ts';
import { pause } from '../../contract/pause.ts';
import { onTermination, stayAlive } from '../termination.ts';
import { type JobManager, startJobManager } from './job-manager.ts';

/** How often one that does not lead looks whether the cluster has ended. */
const displacedPollMs = 1000;

/**
 * Runs a JobManager to its end.
 * @param applicationScript the built script of `application-main.ts`.
 * @returns the exit code.
 */
export async function runJobManager(applicationScript: URL): Promise<number> {
  stayAlive();
  const config = await readJobManagerConfig(process.env);
  const secretArgs = await readSecretArguments(config);
  const redactor = new Redactor(textsOf(secretArgs));
  const logger = createLogger(config.logging, config.resourceId, { redactor });
  const bug = new Promise<number>((resolve) => {
    process.once('uncaughtException', (error) => resolve(explain(error, logger, 'crashed')));
  });
  const parts = { config, logger, secretArgs, redactor };
  return Promise.race([run(parts, fileURLToPath(applicationScript)), bug]);
}

interface Parts {
  readonly config: JobManagerConfig;
  readonly logger: Logger;
  readonly secretArgs: SecretArguments;
  readonly redactor: Redactor;
}

async function run(parts: Parts, applicationScript: string): Promise<number> {
  const { config, logger } = parts;
  const { pid, version: node } = process;
  logger.info('JobManager starts', {
    pid,
    node,
    clusterId: config.clusterId,
    release: config.release,
  });
  const stopRequest = new Promise<NodeJS.Signals>(onTermination);
  if (await hasEnded(openRecord(config.record))) {
    logger.info('JobManager ends: the cluster has ended, there is an outcome of its release');
    return ProcessExit.over;
  }
  let jobManager: JobManager;
  try {
    jobManager = await start(parts, applicationScript);
  } catch (error) {
    if (error instanceof LeadershipLostError) return awaitEnd(error.message, parts, stopRequest);
    return explainStart(error, config, logger);
  }
  void stopRequest.then((signal) => jobManager.terminate(`the JobManager got ${signal}`));
  try {
    const end = await jobManager.ended;
    if (end.type === 'fenced') return await awaitEnd(end.message, parts, stopRequest);
    logger.info('JobManager ends', end);
    if (end.type === 'suspended') return ProcessExit.terminated;
    return end.type === 'replaced' ? ProcessExit.replaced : ProcessExit.over;
  } catch (error) {
    return explain(error, logger, 'crashed');
  }
}

/**
 * Another JobManager leads. Whoever started this one knows whether that is meant, and ends it; it would be
 * started again otherwise, and take the lead back.
 */
async function awaitEnd(
  why: string,
  { config, logger }: Parts,
  stopRequest: Promise<NodeJS.Signals>,
): Promise<number> {
  logger.warn(`${why}. This one does nothing more, and waits to be ended`, {
    code: 'leadership-lost',
  });
  const stopped = new AbortController();
  void stopRequest.then(() => stopped.abort());
  const record = openRecord(config.record);
  while (!stopped.signal.aborted) {
    if (await hasEnded(record)) {
      logger.info('JobManager ends: the cluster has ended, there is an outcome of its release');
      return ProcessExit.over;
    }
    await pause(systemClock, displacedPollMs, stopped.signal);
  }
  logger.info('JobManager ends: its platform ended it');
  return ProcessExit.terminated;
}

async function start(parts: Parts, applicationScript: string): Promise<JobManager> {
  const { config, logger, secretArgs, redactor } = parts;
  const token = await readToken(config);
  return startJobManager({
    config,
    token,
    secretArgs,
    redactor,
    applicationScript,
    createRestServer: (view) =>
      createRestServer({
        ...config.rest,
        token,
        view,
        logger,
        redactor,
      }),
    logger,
    output: createOutput(config.logging, config.resourceId, redactor),
    clock: systemClock,
  });
}

function explainStart(error: unknown, { rest }: JobManagerConfig, logger: Logger): number {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
    return explain(error, logger, 'start-failed');
  const message = `port ${rest.port} on ${rest.bind} is taken: set jobmanager.rest.port to another one, or to 0 for any that is free`;
  return explain(new Error(message, { cause: error }), logger, 'port-taken');
}

/** Says why it cannot go on: `message` for people, `code` for scripts. @returns the exit code. */
function explain(error: unknown, logger: Logger, code: string): number {
  const message = `the JobManager ${code === 'crashed' ? 'crashed' : 'cannot start'}: ${(error as Error).message}`;
  logger.error(message, { code, error });
  process.stderr.write(`${JSON.stringify({ code, message })}\n`);
  return ProcessExit.failed;
}

async function readSecretArguments({ application }: JobManagerConfig): Promise<SecretArguments> {
  const file = application?.secretArgsFile ?? null;
  return file === null ? {} : (JSON.parse(await readFile(file, 'utf8')) as SecretArguments);
}

async function readToken({ auth }: JobManagerConfig): Promise<string | null> {
  if (auth === 'none') return null;
  const file = process.env[ProcessEnvironment.tokenFile];
  if (file === undefined)
    throw new Error(`${ProcessEnvironment.tokenFile} names no file with the token`);
  return (await readFile(file, 'utf8')).trim();
}
