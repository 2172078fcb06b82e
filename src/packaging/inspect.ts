/**
 * Evaluates a bundle before it is shipped: which jobs it defines, whether it can be run, what graphs they
 * make. In a worker thread, so that user code that spins or fails does not take the client with it.
 */
import { finished } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { ConfigError, problem } from '../contract/errors.ts';
import type { ApplicationBundle } from './bundle.ts';
import type { InspectAnswer, InspectRequest, Inspection } from './inspect-messages.ts';

export interface InspectOptions extends Omit<InspectRequest, 'file' | 'bundleHash'> {
  /** Built script of `inspect-main.ts`. */
  readonly script: string;
  readonly signal: AbortSignal;
  /** What user code prints meanwhile. */
  readonly onOutput: (text: string) => void;
}

/** User code that is evaluated for longer than this hangs. */
const timeoutMs = 30_000;

/** @throws ConfigError with everything that is wrong with the application. */
export async function inspectApplication(
  bundle: ApplicationBundle,
  options: InspectOptions,
): Promise<Inspection> {
  const { script, signal, onOutput, args, parallelism, compile, workingDirectory } = options;
  const request: InspectRequest = {
    file: bundle.file,
    bundleHash: bundle.hash,
    args,
    parallelism,
    compile,
    workingDirectory,
  };
  signal.throwIfAborted();
  const worker = new Worker(script, {
    workerData: request,
    execArgv: ['--enable-source-maps'],
    stdout: true,
    stderr: true,
  });
  const streams = [worker.stdout, worker.stderr];
  for (const stream of streams) stream.setEncoding('utf8').on('data', onOutput);
  try {
    const answer = await answerOf(worker, signal);
    if (answer.type === 'inspected') return answer.inspection;
    const cause = Object.assign(new Error('the application is invalid'), {
      stack: answer.stack ?? '',
    });
    throw new ConfigError(answer.problems, { cause });
  } finally {
    await worker.terminate();
    await Promise.all(streams.map((stream) => finished(stream).catch(() => undefined)));
  }
}

function answerOf(worker: Worker, signal: AbortSignal): Promise<InspectAnswer> {
  return new Promise((resolve, reject) => {
    const failed = (message: string) =>
      reject(
        new ConfigError(
          problem({ code: 'application-invalid', message, path: '/application/entry' }),
        ),
      );
    const timer = setTimeout(
      () => failed(`evaluating the application did not end within ${timeoutMs / 1000} s`),
      timeoutMs,
    );
    worker.once('message', resolve);
    worker.once('error', (error: Error) =>
      failed(`the application cannot be evaluated: ${error.message}`),
    );
    worker.once('exit', (code) =>
      failed(`the application ended the process (exit code ${code}) while it was evaluated`),
    );
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    worker.once('exit', () => clearTimeout(timer));
  });
}
