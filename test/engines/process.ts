/** What the processes of all engines of the tests have in common. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createFileStore } from '../../src/record/drivers/file.ts';
import { readRuns } from '../../src/record/record.ts';
import type { RecordStore } from '../../src/record/store.ts';

const pollMs = 20;
/** Exit code as of a process that SIGTERM ended. */
export const terminated = 143;

export interface ProcessOfTests {
  readonly name: string;
  readonly release: string;
  readonly record: RecordStore;
  readonly bind: string;
  readonly port: number;
  /** The platform's SIGTERM. */
  readonly signal: AbortSignal;
}

/** Says hello to whoever leads. @returns the exit code: 0 when the release has its outcome in the record. */
export async function runWorker({ name, record, signal }: ProcessOfTests): Promise<number> {
  while (!signal.aborted) {
    const { endpoint, isReleaseOver } = await readRuns(record);
    if (isReleaseOver) return 0;
    if (endpoint !== null) {
      await fetch(`${endpoint.rest}/hello/${name}`, { method: 'POST' }).catch(() => null);
    }
    await delay(pollMs);
  }
  return terminated;
}

/** Whether a module is the script that runs, and not imported by one. */
export const isScript = (url: string): boolean => process.argv[1] === fileURLToPath(url);

/** This process, as its environment describes it. */
export function processOfEnvironment(): ProcessOfTests {
  const { env } = process;
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  return {
    name: env['FCTL_PROCESS']!,
    release: env['FCTL_RELEASE']!,
    record: createFileStore(fileURLToPath(env['FCTL_RECORD']!)),
    bind: env['FCTL_BIND']!,
    port: Number(env['FCTL_PORT_WEB'] ?? 0),
    signal: stop.signal,
  };
}
