/**
 * Many jobs in one session: `fctl session` beside Apache Flink's session cluster, in turn, on this machine
 * now. Medians, and how many times better ours is.
 *
 *     node bench/session.ts [runs [jobs]]
 *
 * Each run is a session of its own: single jobs one after the other, then many at once that do not end, then
 * as many small ones. One that fails, or is not through after ten minutes, is said to be and left out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { flinkRig } from '../test/rigs/flink/installation.ts';
import { median } from './deploy/subject.ts';
import { fctlSubject } from './session/fctl.ts';
import { flinkSubject } from './session/flink.ts';
import {
  allRun,
  cpuOf,
  residentMiB,
  type Session,
  type SessionSubject,
  waitFor,
  within,
} from './session/subject.ts';

const runs = Number(process.argv[2] ?? 3);
const jobs = Number(process.argv[3] ?? 200);
const taskManagers = 2;
const slots = Math.ceil(jobs / taskManagers) + 4;
const singleJobs = 15;
/** Submissions that are under way at once. */
const submitters = 8;
const settleMs = 10_000;
const windowMs = 20_000;
/** Of one run. */
const limitMs = 600_000;

interface Figures {
  /** From the request to the moment when all tasks run. */
  readonly runningMs: number;
  /** Until as many jobs run. */
  readonly allRunningMs: number;
  readonly jobsPerMinute: number;
  readonly idleMiB: number;
  readonly busyMiB: number;
  /** Milliseconds of CPU a second. */
  readonly idleCpu: number;
  readonly busyCpu: number;
  readonly taskManagersMiB: number;
  readonly taskManagersCpu: number;
}

async function measure(subject: SessionSubject): Promise<Figures> {
  const session = await subject.start(taskManagers, slots);
  try {
    return await within(limitMs, run(session));
  } finally {
    await session.stop();
  }
}

async function run(session: Session): Promise<Figures> {
  const runningMs = await single(session);
  await delay(settleMs);
  const idle = await load(session);
  const many = await allAtOnce(session);
  return { runningMs, ...many, idleMiB: idle.jobManagerMiB, idleCpu: idle.jobManagerCpu };
}

async function single({ client, submit }: Session): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < singleJobs; i++) {
    const start = performance.now();
    const jobId = await submit({ name: `single-${i}`, count: 0, rate: 10 });
    await waitFor('a job runs', 2, async () => allRun(await client.job(jobId)));
    times.push(performance.now() - start);
    await client.cancelJob(jobId);
    await ended(client, 0);
  }
  return median(times);
}

async function allAtOnce(session: Session) {
  const { client } = session;
  const start = performance.now();
  const ids = await submitAll(session, 'running', 0, 10);
  for (const id of ids) await waitFor('all jobs run', 20, async () => allRun(await client.job(id)));
  const allRunningMs = performance.now() - start;
  await delay(settleMs);
  const busy = await load(session);
  await Promise.all(ids.map((id) => client.cancelJob(id)));
  await ended(client, 0);
  const from = performance.now();
  await submitAll(session, 'small', 100, 0);
  await ended(client, jobs);
  const jobsPerMinute = jobs / ((performance.now() - from) / 60_000);
  return {
    allRunningMs,
    jobsPerMinute,
    busyMiB: busy.jobManagerMiB,
    busyCpu: busy.jobManagerCpu,
    taskManagersMiB: busy.taskManagersMiB,
    taskManagersCpu: busy.taskManagersCpu,
  };
}

async function submitAll({ submit }: Session, name: string, count: number, rate: number) {
  const ids: string[] = [];
  let next = 0;
  const submitter = async () => {
    while (next < jobs) {
      const index = next++;
      ids.push(await submit({ name: `${name}-${index}`, count, rate }));
    }
  };
  await Promise.all(Array.from({ length: submitters }, submitter));
  return ids;
}

/** Waits until no job runs, and so many have finished. */
const ended = (client: Session['client'], finished: number) =>
  waitFor('all jobs end', 50, async () => {
    const overview = await client.overview();
    if (overview['jobs-failed'] > 0) throw new Error('a job has failed');
    return overview['jobs-running'] === 0 && overview['jobs-finished'] >= finished;
  });

/** What the processes use. */
async function load({ jobManager, taskManagers: workers }: Session) {
  const before = [cpuOf(jobManager), cpuOf(workers)] as const;
  const start = performance.now();
  await delay(windowMs);
  const seconds = (performance.now() - start) / 1000;
  return {
    jobManagerMiB: residentMiB(jobManager),
    jobManagerCpu: (cpuOf(jobManager) - before[0]) / seconds,
    taskManagersMiB: residentMiB(workers),
    taskManagersCpu: (cpuOf(workers) - before[1]) / seconds,
  };
}

const perJob = (value: number) => value / jobs;

interface Row {
  readonly name: string;
  readonly unit: string;
  readonly of: (figures: Figures) => number;
  /** Default: less. */
  readonly better?: 'more';
}

const rows: readonly Row[] = [
  { name: 'submit to RUNNING', unit: 'ms', of: ({ runningMs }) => runningMs },
  { name: `until ${jobs} jobs run`, unit: 's', of: ({ allRunningMs }) => allRunningMs / 1000 },
  {
    name: `small jobs, ${jobs} of them`,
    unit: '/min',
    of: ({ jobsPerMinute }) => jobsPerMinute,
    better: 'more',
  },
  { name: 'JobManager memory per job', unit: 'KiB', of: (f) => perJob(f.busyMiB) * 1024 },
  {
    name: '  of it added by jobs',
    unit: 'KiB',
    of: (f) => perJob(Math.max(0, f.busyMiB - f.idleMiB)) * 1024,
  },
  { name: 'JobManager CPU per job', unit: 'µs/s', of: (f) => perJob(f.busyCpu) * 1000 },
  {
    name: '  of it added by jobs',
    unit: 'µs/s',
    of: (f) => perJob(Math.max(0, f.busyCpu - f.idleCpu)) * 1000,
  },
  { name: 'TaskManagers memory per job', unit: 'KiB', of: (f) => perJob(f.taskManagersMiB) * 1024 },
  { name: 'TaskManagers CPU per job', unit: 'µs/s', of: (f) => perJob(f.taskManagersCpu) * 1000 },
];

/** `null`: it failed. */
async function measured(subject: SessionSubject, number: number): Promise<Figures | null> {
  try {
    const result = await measure(subject);
    console.error(`${subject.name}, run ${number} of ${runs}: through`);
    return result;
  } catch (error) {
    console.error(`${subject.name}, run ${number} of ${runs}: ${(error as Error).message}`);
    process.exitCode = 1;
    return null;
  }
}

const subjects = flinkRig.isInstalled() ? [fctlSubject, flinkSubject] : [fctlSubject];
const figures = new Map<string, Figures[]>(subjects.map(({ name }) => [name, []]));
for (let number = 1; number <= runs; number++) {
  for (const subject of subjects) {
    const result = await measured(subject, number);
    if (result !== null) figures.get(subject.name)!.push(result);
  }
}
for (const [name, all] of figures)
  if (all.length === 0) throw new Error(`${name}: no run is through`);
const columns = [...figures.keys(), ...(subjects.length > 1 ? ['times better'] : [])];
console.log(' '.repeat(30) + columns.map((name) => name.padStart(15)).join(''));
for (const { name, unit, of, better } of rows) {
  const values = [...figures.values()].map((all) => median(all.map(of)));
  const shown = values.map((value) => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`);
  if (values.length > 1) {
    const [ours, flink] = values as [number, number];
    shown.push((better === 'more' ? ours / flink : flink / ours).toFixed(1));
  }
  console.log(name.padEnd(30) + shown.map((text) => text.padStart(15)).join(''));
}
if (subjects.length === 1) console.log(`Beside Apache Flink: run ${flinkRig.install} first.`);
