/**
 * The main thread of the process of `main()`. It runs no user code, so it answers whatever user code does.
 *
 * A1  The process ends with its JobManager: when their channel closes it kills itself at once.
 * A2  `main()` runs in a worker thread. Exactly one result goes to the JobManager, then the process ends.
 */
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { shortenStack } from './failure-info.ts';
import {
  type ApplicationResult,
  type ApplicationStart,
  isApplicationResult,
  locationOf,
  mainFailure,
} from '../contract/application-messages.ts';

/** @param entry the script whose worker part runs `main()`. @returns when the process may end. */
export async function superviseApplication(entry: URL): Promise<void> {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL')); // A1
  const start = await new Promise<ApplicationStart>((resolve) => {
    process.once('message', (message) => resolve(message as ApplicationStart));
  });
  const worker = new Worker(entry, { workerData: start });
  process.on('message', (message) => worker.postMessage(message));
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const result = await new Promise<ApplicationResult>((resolve) => {
    worker.on('message', (message: unknown) => {
      if (isApplicationResult(message)) resolve(message);
      else process.send!(message);
    });
    worker.once('error', (error: unknown) => resolve(uncaught(error, start)));
    worker.once('exit', () => resolve(mainFailure(neverDone, null, locationOf(start))));
  });
  await ended;
  await new Promise<void>((resolve) => process.send!(result, () => resolve())); // A2
}

const neverDone = 'main() ended before it was done: it waits for something that can never happen';

function uncaught(error: unknown, start: ApplicationStart): ApplicationResult {
  const location = locationOf(start);
  if (error instanceof Error) {
    return mainFailure(
      error.message,
      shortenStack(error.stack ?? '', dirname(start.bundleFile)),
      location,
    );
  }
  return mainFailure(
    `${String(error)} was thrown or rejected where nobody catches it`,
    null,
    location,
  );
}
