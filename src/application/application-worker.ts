/** The worker thread that runs `main()`: user code, and what it needs to submit jobs. */
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { JobExecutionError } from '../api/job.ts';
import { FctlError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import { type JobSubmitter, runApplication } from './application.ts';
import { findEntries, planApplication } from './application-questions.ts';
import { createClusterPerJobSubmitter } from './cluster-per-job-submitter.ts';
import { NoAnswerError } from './jobmanager-http.ts';
import { createHttpSubmitter } from './http-submitter.ts';
import { loadBundle } from './load-bundle.ts';
import { describeFailure, shortenStack } from './failure-info.ts';
import {
  locationOf,
  type ApplicationMessage,
  type ApplicationResult,
  type ApplicationStart,
  type ClusterReply,
  type ClusterRequest,
  mainFailure,
} from '../contract/application-messages.ts';

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
  const start = workerData as ApplicationStart;
  const stack = shortenStack(error.stack ?? '', dirname(start.bundleFile));
  report(mainFailure(error.message, stack, locationOf(start)));
}

const report = (message: ApplicationMessage) => parentPort!.postMessage(message);

async function run(start: ApplicationStart): Promise<ApplicationResult> {
  const { bundleFile, question = null } = start;
  const submitter = createSubmitter(start);
  try {
    const { exports, registry } = await loadBundle(bundleFile);
    const options = {
      ...start,
      submitter: reporting(submitter),
      workingDirectory: process.cwd(),
    };
    if (question === null) await runApplication(exports, registry, options);
    else if (question === 'plan') {
      const graph = await planApplication(exports, registry, options);
      report({ type: 'plan', graph: graph as unknown as JsonObject });
    } else report({ type: 'entries', entries: findEntries(exports, registry) });
    return { type: 'succeeded' };
  } catch (error) {
    return toResult(error, start);
  } finally {
    submitter.close();
  }
}

function createSubmitter({ jobManager, secrets }: ApplicationStart) {
  return jobManager === null
    ? createClusterPerJobSubmitter({ ask, secrets, onUpload: report })
    : createHttpSubmitter({ ...jobManager, secrets, onUpload: report });
}

/** Of a job whose JobManager answers no more the client of a session asks the next one. */
async function resultAfterLoss(executeIndex: number, jobId: string, error: unknown) {
  const { mode } = workerData as ApplicationStart;
  if (mode !== 'session' || !(error instanceof NoAnswerError)) throw error;
  const reply = await ask({ type: 'result-wanted', executeIndex, jobId });
  if (reply.type === 'result') return reply.result;
  throw reply.type === 'no-cluster' ? new Error(reply.message, { cause: error }) : error;
}

/** Tells what becomes of the jobs. */
function reporting(submitter: JobSubmitter): JobSubmitter {
  const indexes = new Map<string, number>();
  return {
    ...submitter,
    submit: async (submission) => {
      const { executeIndex, graph } = submission;
      const jobId = await submitter.submit(submission);
      indexes.set(jobId, executeIndex);
      report({ type: 'submitted', executeIndex, jobId, name: graph.name });
      return jobId;
    },
    result: async (jobId) => {
      const executeIndex = indexes.get(jobId)!;
      const result = await submitter
        .result(jobId)
        .catch((error: unknown) => resultAfterLoss(executeIndex, jobId, error));
      const { outcome } = result;
      if (outcome !== null) report({ type: 'ended', executeIndex, outcome });
      indexes.delete(jobId);
      return result;
    },
  };
}

/** The listener keeps the thread alive while an answer is due, and no longer. */
function ask(request: ClusterRequest): Promise<ClusterReply> {
  return new Promise((resolve) => {
    const take = (reply: ClusterReply) => {
      if (reply.executeIndex !== request.executeIndex) return;
      parentPort!.off('message', take);
      resolve(reply);
    };
    parentPort!.on('message', take);
    report(request);
  });
}

function toResult(error: unknown, start: ApplicationStart): ApplicationResult {
  const { bundleFile } = start;
  const location = locationOf(start);
  if (error instanceof JobExecutionError) {
    const { error: cause, state } = error.outcome;
    const failure = { stack: null, task: null, location: null, ...cause, message: error.message };
    return { type: state === 'CANCELED' ? 'canceled' : 'failed', failure };
  }
  // What is wrong with an application is said by the message, not by where it was found.
  if (error instanceof FctlError) return mainFailure(error.message, null, location);
  const origin = {
    task: 'main()',
    operator: null,
    location,
    bundleFolder: dirname(bundleFile),
  };
  return { type: 'failed', failure: describeFailure(error, origin) };
}

const flushed = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));
