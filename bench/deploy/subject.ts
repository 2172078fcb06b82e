/** What is measured of each of those that are compared, and how. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A tiny job from nothing, in milliseconds: 100 numbers, keyed, counted and printed. */
export interface TinyJob {
  /** Until its first result is on the TaskManager's stdout. */
  readonly firstMs: number;
  /** Until it has finished and its JobManager is gone. */
  readonly finishedMs: number;
}

/** A cluster of one TaskManager with one slot that has nothing to do. */
export interface IdleCluster {
  /** From nothing until its slot is there. */
  readonly startMs: number;
  readonly jobManagerMiB: number;
  readonly taskManagerMiB: number;
}

export interface Subject {
  readonly name: string;
  runTinyJob(): Promise<TinyJob>;
  idle(): Promise<IdleCluster>;
}

/** Milliseconds; waits for something that another process writes. */
export async function timeUntil(start: number, seen: () => boolean): Promise<number> {
  while (!seen()) {
    if (performance.now() - start > 120_000) throw new Error('nothing was seen within 2 minutes');
    await delay(5);
  }
  return performance.now() - start;
}

/** How long a cluster that has just started is left alone before its memory is read. */
export const settle = () => delay(5000);

/**
 * Resident memory of a process in MiB. It counts what processes share in each of them; PSS would not, but
 * depends on what else runs: a machine with many Node.js processes would flatter us.
 */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;
