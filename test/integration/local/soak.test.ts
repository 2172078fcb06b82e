/**
 * A stream in one session for a while: a fast source in front of a slow sink, watermarks by the clock, and beside
 * it 20 jobs that are started and cancelled. Memory stays flat, event time goes on, nothing is lost, and a cancel
 * takes less than two seconds.
 *
 * `FCTL_SOAK_SECONDS=3600` goes on for longer; `FCTL_SOAK_OUT=folder` gets what was measured, as soak.csv and soak.svg.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { TestCluster } from '../../runtime/taskmanager/cluster.ts';
import { endless } from '../../runtime/taskmanager/jobs.ts';
import { type Sample, toCsv, toSvg } from './soak-plot.ts';

const seconds = Number(process.env['FCTL_SOAK_SECONDS'] ?? 60);
const folder = process.env['FCTL_SOAK_OUT'];
const cancelled = 20;
const maxCancelMs = 2000;
/** From the second third to the last: a heap takes its time to find its size, a leak goes on. */
const maxGrowth = Math.max(1.1, 1 + 18 / seconds);

/**
 * Records of ten keys, one a millisecond of event time; each window of a second has 100 of each key. The sink
 * checks that no window is missing or incomplete, and wants a millisecond for each.
 */
const soak = `
import {
  boundedOutOfOrderness, defineJob, GeneratorSource, TumblingEventTimeWindows, types,
} from 'fctl';
const event = types.record({ key: types.string, time: types.timestamp });
const slow = {
  name: 'slow',
  committer: null,
  createWriter: () => {
    const next = new Map();
    let taken = 0;
    return {
      open: async () => {},
      write: ({ key, start, count }) => {
        const expected = next.get(key) ?? 0;
        if (start !== expected || count !== 100) {
          throw new Error('lost: ' + key + ' has ' + count + ' in the window at ' + start + ', expected at ' + expected);
        }
        next.set(key, start + 1000);
        taken++;
      },
      ready: () => {
        if (taken === 0) return null;
        const ms = Math.min(taken, 100);
        taken = 0;
        return new Promise((resolve) => setTimeout(resolve, ms));
      },
      finish: async () => [],
      abort: async () => {},
    };
  },
};
defineJob('soak', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => ({ key: 'k' + (i % 10), time: i }), type: event }))
    .map((e) => ({ ...e }), { type: event })
    .assignTimestampsAndWatermarks(boundedOutOfOrderness(100, (e) => e.time, { idleness: '10s' }))
    .keyBy((e) => e.key)
    .window(TumblingEventTimeWindows.of(1000))
    .aggregate({
      createAccumulator: () => 0, add: (e, n) => n + 1, getResult: (n) => n, merge: (a, b) => a + b,
    }, (key, window, counts, out) => {
      for (const count of counts) out.collect({ key, start: window.start, count });
    })
    .sinkTo(slow);
});
`;

let cluster: TestCluster;
afterEach(() => cluster.close());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** In MiB. */
function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

function watch(jobId: string): () => Sample {
  const start = performance.now();
  return () => {
    const { vertices } = cluster.dispatcher.job(jobId)!.view();
    const subtasks = vertices.at(-1)!.subtasks.map(({ metrics }) => metrics);
    collectGarbage();
    const pressed = vertices[0]!.subtasks.map(({ metrics }) => metrics.backPressuredMs);
    return {
      seconds: (performance.now() - start) / 1000,
      taskManagersMiB: cluster.processes.reduce((sum, { pid }) => sum + rssOf(pid!), 0),
      // The JobManager's part is in this process.
      jobManagerMiB: process.memoryUsage().heapUsed / 1024 / 1024,
      watermark: Math.min(...subtasks.map((metrics) => metrics.watermark ?? 0)),
      backPressuredMs: Math.max(...pressed),
      records: subtasks.reduce((sum, metrics) => sum + metrics.recordsIn, 0),
    };
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a job, waits until it runs, and cancels it. @returns how long the cancel took. */
async function startAndCancel(): Promise<number> {
  const job = await cluster.submit(endless(''), 'endless', { parallelism: 2 });
  await job.running();
  const start = performance.now();
  cluster.dispatcher.cancel(job.jobId);
  const { outcome } = await job.result();
  expect(outcome.state).toBe('CANCELED');
  return performance.now() - start;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

it(`a stream runs for ${seconds} s`, { timeout: (seconds + 120) * 1000 }, async () => {
  cluster = new TestCluster();
  await cluster.start();
  for (const name of ['taskmanager-0', 'taskmanager-1']) {
    // What a slot keeps beyond that ends it, and the job with it.
    cluster.taskManager(name, { slots: 2, memoryBytes: 512 * 1024 * 1024 });
  }
  const job = await cluster.submit(soak, 'soak', { parallelism: 2 });
  await job.running();
  const sample = watch(job.jobId);
  const samples: Sample[] = [];
  const end = performance.now() + seconds * 1000;
  const cancelMs: number[] = [];
  const others = (async () => {
    for (let i = 0; i < cancelled; i++) {
      cancelMs.push(await startAndCancel());
      await pause((seconds * 800) / cancelled - 500);
    }
  })();
  while (performance.now() < end) {
    samples.push(sample());
    await pause(1000);
  }
  await others;
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'soak.csv'), toCsv(samples));
    writeFileSync(join(folder, 'soak.svg'), toSvg(samples));
  }

  expect(cluster.dispatcher.job(job.jobId)!.view()).toMatchObject({
    state: 'RUNNING',
    attempt: 0,
    exceptions: [],
  });
  expect(cancelMs).toHaveLength(cancelled);
  expect(Math.max(...cancelMs)).toBeLessThan(maxCancelMs);

  const third = Math.floor(samples.length / 3);
  const [before, after] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  for (const of of ['taskManagersMiB', 'jobManagerMiB'] as const) {
    const grown = median(after.map((s) => s[of])) / median(before.map((s) => s[of]));
    expect(grown, of).toBeLessThan(maxGrowth);
  }
  // The source is faster than its sink, and event time goes on all the same.
  expect(samples.at(-1)!.backPressuredMs).toBeGreaterThan(seconds * 100);
  for (let i = 10; i < samples.length; i++) {
    expect(samples[i]!.watermark).toBeGreaterThan(samples[i - 10]!.watermark);
  }

  const start = performance.now();
  cluster.dispatcher.cancel(job.jobId);
  expect((await job.result()).outcome.state).toBe('CANCELED');
  expect(performance.now() - start).toBeLessThan(maxCancelMs);
});
