/** What a slot's worker thread runs, and what applications import there: see slot-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { provideModules } from '../../application/load-bundle.ts';
import { systemClock } from '../../contract/clock.ts';
import type { SlotWorkerData, ToSlot } from './slot-messages.ts';
import { textOutput } from './text-output.ts';
import { SlotRuntime } from './slot-runtime.ts';

// oxlint-disable-next-line fctl/no-export-all -- all of it: whatever is left out would be missing in slots alone
export * from '../../api/index.ts';

const port = parentPort;
if (port === null) throw new Error('a slot runs in a worker thread of a TaskManager');

process.setSourceMapsEnabled(true);
provideModules(import.meta.url);
// The main thread has V8 expose it.
const { gc: collectGarbage = () => {} } = globalThis as { gc?: () => void };

const runtime = new SlotRuntime({
  clock: systemClock,
  start: (workerData as SlotWorkerData).start,
  send: (message, transfer = []) => port.postMessage(message, [...transfer]),
  stdout: textOutput(process.stdout),
  collectGarbage: () => collectGarbage(),
});

const crash = (error: unknown): void => {
  port.postMessage({ type: 'crashed', failure: runtime.describe(error) });
  process.exit(1);
};
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

port.on('message', (message: ToSlot) => runtime.receive(message));
await runtime.listen();
