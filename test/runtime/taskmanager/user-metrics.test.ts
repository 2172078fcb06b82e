/** Metrics that functions make, from the function to REST and reporters. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { vertexMetrics } from '../../../src/runtime/rest/answers/metrics.ts';
import { TestCluster } from './cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
});
afterEach(() => cluster.close());

const code = (count: string) => `
import { defineJob, GeneratorSource, DiscardSink } from 'fctl';
defineJob('counted', (env) => {
  env.fromSource(GeneratorSource.of({ ${count} create: (i) => i, ratePerSecond: 1000 }))
    .map((n, context) => {
      const metrics = context.getMetricGroup();
      metrics.counter('seen').inc();
      metrics.addGroup('parity', n % 2 === 0 ? 'even' : 'odd').counter('seen').inc();
      metrics.meter('rate').markEvent();
      metrics.histogram('size').update(n);
      metrics.gauge('last', () => n);
      return n;
    }, { name: 'Count it' })
    .sinkTo(DiscardSink.create());
});
`;

const metricsOf = (jobId: string) => {
  const view = cluster.dispatcher.view(jobId)!;
  return vertexMetrics(view.vertices[0]!, view.graph.vertices[0]);
};

it('are told while the job runs', async () => {
  cluster.taskManager('taskmanager-0');
  const { jobId, running } = await cluster.submit(code(''), 'counted', { parallelism: 1 });
  await running();
  const value = (name: string) => Number(metricsOf(jobId)[`0.Count_it.${name}`]);
  const timeout = 20_000;
  await expect.poll(() => value('seen'), { timeout }).toBeGreaterThan(0);
  await expect.poll(() => value('rate'), { timeout }).toBeGreaterThan(0);
});

it('are told when it has ended, with their last values', async () => {
  cluster.taskManager('taskmanager-0');
  const job = await cluster.submit(code('count: 100,'), 'counted', { parallelism: 1 });
  expect((await job.result()).outcome.error).toBeNull();
  expect(metricsOf(job.jobId)).toMatchObject({
    '0.Count_it.seen': '100',
    '0.Count_it.parity.even.seen': '50',
    '0.Count_it.parity.odd.seen': '50',
    '0.Count_it.last': '99.0',
    '0.Count_it.size_count': '100',
    '0.Count_it.size_max': '99.0',
    '0.Count_it.size_median': '50.0',
    '0.numMetricsUntold': '0',
  });
});
