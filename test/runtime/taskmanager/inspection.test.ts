/** What a TaskManager process tells about itself: its logs, its threads, what it uses. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
});
afterEach(() => cluster.close());

const endless = `
import { defineJob, GeneratorSource, CollectSink } from 'fctl';
defineJob('endless', (env) => {
  env.fromSource(GeneratorSource.of({ create: (i) => i, ratePerSecond: 100 }))
    .map((i) => { if (i === 0) console.log('grüezi'); return i; })
    .filter(() => false)
    .sinkTo(CollectSink.named('none'));
});
`;

it('is read over RPC', async () => {
  cluster.taskManager('taskmanager-0', { slots: 2 });
  const job = await cluster.submit(endless, 'endless', { parallelism: 1 });
  await job.running();
  const { resources } = cluster;
  const { id } = resources.taskManagers[0]!;

  await cluster.until(() => cluster.logOf('taskmanager-0', 'out') !== '');
  const files = await resources.call(id, 'listLogs');
  expect(files.map(({ name }) => name)).toEqual(['taskmanager-0.log', 'taskmanager-0.out']);
  const read = async (name: string, length = 1000) => {
    const bytes = await resources.call(id, 'readLog', { name, offset: 0, length });
    return bytes && Buffer.from(bytes).toString();
  };
  expect(await read('taskmanager-0.out')).toBe('grüezi\n');
  expect(await read('taskmanager-0.log', files[0]!.sizeBytes)).toMatch(/^\{.*slot allocated/s);
  expect(await read('../token')).toBeNull();

  const threads = await resources.call(id, 'threadDump');
  expect(threads.map(({ name }) => name)).toEqual(['main', 'slot-0']);
  expect(threads[1]!.text).toContain(`(${job.jobId}), attempt 0`);
  expect(threads[1]!.text).toMatch(/runs .*\(1\/1\)/);

  await cluster.until(() => (resources.taskManager(id)?.report?.process.rssBytes ?? 0) > 0);
  const { recent } = cluster.dispatcher.view(job.jobId)!.vertices[0]!.subtasks[0]!;
  expect(recent.ms).toBe(recent.busyMs + recent.idleMs + recent.backPressuredMs);
});
