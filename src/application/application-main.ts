/**
 * Entry point of the process that runs `main()`: its main thread watches, a worker thread of the same
 * script runs user code.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const { superviseApplication } = await import('./application-supervisor.ts');
  await superviseApplication(new URL(import.meta.url));
  process.exit(0);
} else {
  const { reportExit, runApplicationWorker } = await import('./application-worker.ts');
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    reportExit(code);
    return exit(code);
  };
  await runApplicationWorker();
  exit(0);
}
