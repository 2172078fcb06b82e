import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
});
afterEach(() => cluster.close());

/** Counts per key and window; typed and untyped edges. */
const shuffle = (count: number, type: string) => `
import { defineJob, types, GeneratorSource, CollectSink, TumblingEventTimeWindows, monotonousTimestamps } from 'fctl';
const event = ${type};
defineJob('count', (env) => {
  env.fromSource(GeneratorSource.of({
    count: ${count},
    create: (i) => ({ key: 'k' + (i % 100), time: i }),
    ...(event === null ? {} : { type: event }),
  }), { watermarks: monotonousTimestamps((e) => e.time) })
    .keyBy((e) => e.key)
    .window(TumblingEventTimeWindows.of(10000))
    .aggregate({
      createAccumulator: () => 0, add: (v, a) => a + 1, getResult: (a) => a, merge: (a, b) => a + b,
    }, (key, window, counts, out) => { for (const n of counts) out.collect(key + '@' + window.start + '=' + n); })
    .sinkTo(CollectSink.named('counts'));
});
`;
const expected = (count: number) => {
  const results: string[] = [];
  for (let start = 0; start < count; start += 10_000) {
    for (let key = 0; key < 100; key++) results.push(`k${key}@${start}=100`);
  }
  return results.toSorted();
};

const typed = 'types.record({ key: types.string, time: types.timestamp })';

it('keeps what the submitted default parallelism has forwarded', async () => {
  cluster.taskManager('taskmanager-0', { slots: 2 });
  const bundle = `
import { defineJob, GeneratorSource, CollectSink } from 'fctl';
defineJob('forwarding', (env) => {
  env.fromSource(GeneratorSource.of({ count: 10, create: (i) => i }))
    .map((n) => n + 1).setParallelism(2).forward().map((n) => n * 10)
    .sinkTo(CollectSink.named('all'));
});`;
  const job = await cluster.submit(bundle, 'forwarding', { parallelism: 2 });
  const { collected, outcome } = await job.result();
  expect(outcome.error).toBeNull();
  expect((collected['all'] as number[]).toSorted((a, b) => a - b)).toEqual([
    10, 20, 30, 40, 50, 60, 70, 80, 90, 100,
  ]);
});

describe('a keyed shuffle', () => {
  it.each([
    ['over TCP, between two processes', 2, 1, typed],
    ['over ports, between two slots of one process', 1, 2, typed],
    ['over all three transports', 2, 2, typed],
    ['without a declared type', 2, 1, 'null'],
  ])('%s gives the exact result', async (_name, processes, slots, type) => {
    for (let i = 0; i < processes; i++) cluster.taskManager(`taskmanager-${i}`, { slots });
    const job = await cluster.submit(shuffle(200_000, type), 'count', {
      parallelism: processes * slots,
    });
    const { outcome, collected } = await job.result();
    expect(outcome.error).toBeNull();
    expect((collected['counts'] as string[]).toSorted()).toEqual(expected(200_000));
    expect(outcome.vertices.map((vertex) => vertex.lateRecords)).toEqual([0, 0]);
    expect(outcome.vertices[0]).toMatchObject({ recordsIn: 200_000, recordsOut: 200_000 });
    expect(outcome.vertices[1]).toMatchObject({ recordsIn: 200_000 });
  });
});
