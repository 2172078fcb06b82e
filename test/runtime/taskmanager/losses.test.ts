/** What of the input is in no result is told wherever somebody may look for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { describeJob, describeJobs } from '../../../src/cli/output/jobs.ts';
import { jobDetails } from '../../../src/runtime/rest/answers/job.ts';
import { vertexMetrics } from '../../../src/runtime/rest/answers/metrics.ts';
import { TestCluster } from './cluster.ts';

const code = `
import { defineJob, FileSource, CollectSink, TumblingEventTimeWindows, monotonousTimestamps, types } from 'fctl';
defineJob('counts', (env) => {
  const row = types.record({ name: types.string, time: types.int32 });
  env.fromSource(FileSource.csv('rows.csv', row, { onError: 'skip' }), {
    watermarks: monotonousTimestamps((r) => r.time),
  })
    .keyBy((r) => r.name)
    .window(TumblingEventTimeWindows.of(10))
    .aggregate({
      createAccumulator: () => 0, add: (v, a) => a + 1, getResult: (a) => a, merge: (a, b) => a + b,
    })
    .sinkTo(CollectSink.named('counts'));
});
`;
/** More than a source reads in one batch, after which a watermark comes. */
const rows = Array.from({ length: 2000 }, (_, i) => `a,${i * 10}`);

it('tells skipped and late records in the outcome, the tables, REST and its metrics', async () => {
  const cluster = new TestCluster();
  await cluster.start();
  onTestFinished(() => cluster.close());
  const malformed = ['a,one', 'a,1,2'];
  const late = ['a,1', 'b,2', 'c,3'];
  const lines = ['name,time', ...malformed, ...rows, ...late];
  writeFileSync(join(cluster.folder, 'rows.csv'), `${lines.join('\n')}\n`);
  cluster.taskManager('taskmanager-0');
  const { jobId, result } = await cluster.submit(code, 'counts', { parallelism: 1 });
  const { outcome } = await result();
  expect(outcome.error).toBeNull();
  expect(outcome.vertices).toMatchObject([
    { skippedRecords: 2, lateRecords: 0 },
    { skippedRecords: 0, lateRecords: 3 },
  ]);

  const view = cluster.dispatcher.view(jobId)!;
  const details = jobDetails(view, 'a');
  expect(details.vertices).toMatchObject([
    { 'skipped-records': 2, 'late-records': 0 },
    { 'skipped-records': 0, 'late-records': 3 },
  ]);
  const metrics = view.vertices.map((vertex, i) => vertexMetrics(vertex, view.graph.vertices[i]));
  const skipped = Object.entries(metrics[0]!).find(([id]) => id.endsWith('.numRecordsInErrors'));
  expect(skipped).toEqual([expect.stringMatching(/^0\.Source__/), '2']);
  expect(metrics[1]).toMatchObject({ '0.numLateRecordsDropped': '3' });
  for (const text of [describeJobs([details]), describeJob(outcome)]) {
    const told = stripVTControlCharacters(text).split('\n');
    expect(told).toContain('  skipped 2 malformed records');
    expect(told).toContain('  dropped 3 late records');
  }
});
