/** A session cluster that is measured, as it looks from outside: jobs by REST, processes by /proc. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlinkRestClient } from '../../src/flink-rest/client.ts';
import type { JobDetails } from '../../src/contract/rest.ts';
import { memoryOf } from '../deploy/subject.ts';

/** Numbers, keyed by their last digit, counted, and thrown away; parallelism 1, so in one slot. */
export interface BenchJob {
  readonly name: string;
  /** 0: without end. */
  readonly count: number;
  /** Per second; 0: as fast as it goes. */
  readonly rate: number;
}

export interface Session {
  readonly client: FlinkRestClient;
  /** Of the JobManager, and of what starts it again. */
  readonly jobManager: readonly number[];
  readonly taskManagers: readonly number[];
  /** Submits it from here, the application being there already. @returns the job's id. */
  readonly submit: (job: BenchJob) => Promise<string>;
  stop(): Promise<void>;
}

export interface SessionSubject {
  readonly name: string;
  /** Starts it with so many TaskManagers of so many slots, and waits for all slots. */
  start(taskManagers: number, slots: number): Promise<Session>;
}

/** Rejects when the work is not through in time; it may go on, and nobody hears of it. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = delay(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`not through after ${ms / 1000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
    work.catch(() => {});
  }
}

const limitMs = 300_000;

/** Rejects after five minutes. */
export async function waitFor(
  what: string,
  pollMs: number,
  seen: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await seen())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await delay(pollMs);
  }
}

export const allRun = ({ state, vertices }: JobDetails): boolean => {
  if (state === 'FAILED' || state === 'CANCELED') throw new Error(`a job is ${state}`);
  return vertices.every(({ status }) => status === 'RUNNING');
};

/** CPU time of processes since they were started, in ms; a tick is 10 ms. */
export const cpuOf = (pids: readonly number[]): number =>
  sum(
    pids.map((pid) => {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, , , , , , , , , , , user, system] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return (Number(user) + Number(system)) * 10;
    }),
  );

export const residentMiB = (pids: readonly number[]): number => sum(pids.map(memoryOf));

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
