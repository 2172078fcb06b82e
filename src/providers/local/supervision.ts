/**
 * The client's side of `templates/supervise.sh`: how a process is started under it, and what it writes
 * about the process.
 *
 * U1  `process.json` has one writer, the supervisor. Whether what it names still runs is for the reader
 *     to find out, by identity (T1): a supervisor that was killed says nothing any more.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess } from './process-table.ts';

/** When a crashed process is started again. Seconds, for the shell has nothing finer. */
const restart = { firstDelay: 1, longestDelay: 30, stableRun: 60, crashesInARow: 10 } as const;

const transitionPollMs = 10;
/** A supervisor writes a change within milliseconds; one that was stopped (state T) never does. */
const transitionTimeoutMs = 500;

/** A process of the operating system; `identity` tells it from a later one of its number (T1). */
export interface KnownProcess {
  readonly pid: number;
  readonly identity: string;
}

/** `process.json`. `startedAt`: of its latest start, in ms. `lastExit`: as a shell tells it. */
interface ProcessFile extends KnownProcess {
  /** Absent in the files of older versions, which had no supervisor. */
  readonly supervisor?: KnownProcess;
  readonly state?: 'running' | 'waiting' | 'ended' | 'failed' | 'stopped';
  readonly startedAt: number;
  readonly restarts?: number;
  readonly lastExit?: number | null;
}

export interface Supervised {
  readonly process: KnownProcess;
  readonly processRuns: boolean;
  /** `null`: it has none that runs. */
  readonly supervisor: KnownProcess | null;
  readonly startedAt: number;
  readonly restarts: number;
  readonly lastExit: number | null;
}

/** Variable of the supervisor's environment: the folder of a cluster of which little is to stay. */
export const TRANSIENT_CLUSTER = 'FCTL_TRANSIENT_CLUSTER';

/** @returns the command that runs a command under the supervisor. */
export function supervise(script: string, folder: string, command: readonly string[]): string[] {
  const { firstDelay, longestDelay, stableRun, crashesInARow } = restart;
  const settings = [firstDelay, longestDelay, stableRun, crashesInARow].map(String);
  return ['/bin/sh', script, folder, ...settings, ...command];
}

/** What runs now of the process in a folder; `null`: nothing was written about it. */
export async function readSupervised(folder: string): Promise<Supervised | null> {
  const deadline = Date.now() + transitionTimeoutMs;
  for (;;) {
    const file = await readProcessFile(folder);
    if (file === null) return null;
    const processRuns = await runs(file);
    const supervisor = file.supervisor && (await runs(file.supervisor)) ? file.supervisor : null;
    const changing = file.state === 'running' && !processRuns && supervisor !== null;
    if (changing && Date.now() < deadline) {
      await delay(transitionPollMs);
      continue;
    }
    return {
      process: file,
      processRuns,
      supervisor,
      startedAt: file.startedAt,
      restarts: file.restarts ?? 0,
      lastExit: file.lastExit ?? null,
    };
  }
}

export async function runs({ pid, identity }: KnownProcess): Promise<boolean> {
  return (await identifyProcess(pid)) === identity;
}

async function readProcessFile(folder: string): Promise<ProcessFile | null> {
  const text = await readFile(join(folder, 'process.json'), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as ProcessFile);
}
