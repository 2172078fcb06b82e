/** Bundles of small jobs, and a job beside which others get into trouble. */
import { expect } from 'vitest';
import type { TestCluster } from './cluster.ts';

/** Job `endless`: a source that never ends, and a `map` that runs `code` on each `n`. */
export const endless = (code: string): string => `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
const kept = [];
defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 1000 }))
    .map((n) => { ${code}; return n; }, { name: 'Trouble' })
    .sinkTo(DiscardSink.create());
});
`;

/** Job `generating`: a generator with `options`, 1000 records a second. */
export const generating = (options: string): string => `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
defineJob('generating', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 1000, ${options} }))
    .sinkTo(DiscardSink.create());
});
`;

/** A job that never ends. */
export interface Neighbour {
  readonly jobId: string;
  /** Waits for so many further records, 1000 of which come in a second. */
  records(count: number): Promise<void>;
  /** It goes on, in the attempt in which it began, and nothing was ever wrong with it. */
  expectUnharmed(): Promise<void>;
}

/** Starts it and waits until it runs. */
export async function startNeighbour(cluster: TestCluster): Promise<Neighbour> {
  const job = await cluster.submit(generating(''), 'generating', { parallelism: 1 });
  await job.running();
  const view = () => cluster.dispatcher.job(job.jobId)!.view();
  const subtask = () => view().vertices[0]!.subtasks[0]!;
  const { attemptId } = subtask();
  const records = (count: number) => {
    const before = subtask().metrics.recordsIn;
    return cluster.until(() => subtask().metrics.recordsIn >= before + count);
  };
  return {
    jobId: job.jobId,
    records,
    expectUnharmed: async () => {
      await records(1);
      expect(view()).toMatchObject({ state: 'RUNNING', attempt: 0, exceptions: [] });
      expect(subtask()).toMatchObject({ state: 'RUNNING', attempt: 0, attemptId });
    },
  };
}

/** A free slot takes another job and runs it to its end. */
export async function expectUsable(cluster: TestCluster): Promise<void> {
  const job = await cluster.submit(generating('count: 10'), 'generating', { parallelism: 1 });
  expect((await job.result()).outcome.state).toBe('FINISHED');
}
