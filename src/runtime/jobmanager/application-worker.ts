/** The worker thread that runs `main()`: user code, and what it needs to submit jobs. */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { JobExecutionError } from '../../api/job.ts';
import { FctlError } from '../../contract/errors.ts';
import { runApplication } from '../../graph/application.ts';
import { createHttpSubmitter } from '../../graph/http-submitter.ts';
import { loadBundle } from '../../graph/load-bundle.ts';
import { describeFailure, shortenStack } from '../taskmanager/failure-info.ts';
import {
  type ApplicationResult,
  type ApplicationStart,
  mainFailure,
} from './application-messages.ts';

/**
 * Runs the application and reports how it ended. The caller then ends the thread, for user code may have
 * left timers or sockets behind.
 */
export async function runApplicationWorker(): Promise<void> {
  const result = await run(workerData as ApplicationStart);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  report(result);
}

/** An exception that nobody caught: the supervisor hears of it as the worker's error. */
let uncaught = false;
process.once('uncaughtExceptionMonitor', () => {
  uncaught = true;
});

/**
 * What `process.exit()` in user code means: it would end `main()` without a result. Node.js itself calls
 * it too, after an exception that nobody caught.
 */
export function reportExit(code: number | string | null | undefined): void {
  if (uncaught) return;
  const called = `process.exit(${code ?? ''})`;
  const error = new Error(`main() called ${called}: return from main() instead, or throw to fail`);
  const { bundleFile } = workerData as ApplicationStart;
  report(mainFailure(error.message, shortenStack(error.stack ?? '', dirname(bundleFile))));
}

const report = (result: ApplicationResult) => parentPort!.postMessage(result);

async function run(start: ApplicationStart): Promise<ApplicationResult> {
  const { args, bundleFile, bundleHash, parallelism } = start;
  const submitter = createHttpSubmitter(start);
  try {
    const { exports, registry } = await loadBundle(bundleFile);
    await runApplication(exports, registry, {
      args,
      bundleHash,
      parallelism,
      submitter,
      mode: 'application',
      workingDirectory: process.cwd(),
    });
    return { type: 'succeeded' };
  } catch (error) {
    return toResult(error, bundleFile);
  } finally {
    submitter.close();
  }
}

function toResult(error: unknown, bundleFile: string): ApplicationResult {
  if (error instanceof JobExecutionError) {
    const { error: cause, state } = error.outcome;
    const failure = { stack: null, task: null, location: null, ...cause, message: error.message };
    return { type: state === 'CANCELED' ? 'canceled' : 'failed', failure };
  }
  // What is wrong with an application is said by the message, not by where it was found.
  if (error instanceof FctlError) return mainFailure(error.message);
  const origin = {
    task: 'main()',
    operator: null,
    location: 'jobmanager',
    bundleFolder: dirname(bundleFile),
  };
  return { type: 'failed', failure: describeFailure(error, origin) };
}

const flushed = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));
