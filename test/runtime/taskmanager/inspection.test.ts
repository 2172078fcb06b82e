/** What a TaskManager process tells about itself: its logs, its threads, what it uses. */
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readExposition } from '../metrics/exposition.ts';
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

it('is read by Prometheus, with its tasks as long as they run', async () => {
  const from = await freePort();
  const reporter = { type: 'prometheus', from, to: from + 50 } as const;
  cluster.taskManager('taskmanager-0', { reporters: [reporter] });
  const job = await cluster.submit(endless, 'endless', { parallelism: 1 });
  await job.running();
  const name = 'flink_taskmanager_job_task_numRecordsIn';
  const read = async () => {
    for (let port = from; port <= from + 50; port++) {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
      const text = (await answer?.text()) ?? '';
      // Another test's, perhaps.
      if (text.includes(cluster.resources.taskManagers[0]!.id.replace('/', '-'))) {
        return readExposition(text, 'text');
      }
    }
    return [];
  };
  const records = async () => (await read()).find((series) => series.name === name);
  await expect.poll(async () => (await records())?.value, { timeout: 20_000 }).toBeGreaterThan(0);
  expect((await records())!.labels).toMatchObject({
    job_id: job.jobId,
    job_name: 'endless',
    subtask_index: '0',
    task_attempt_num: '0',
  });
  cluster.dispatcher.cancel(job.jobId);
  await job.result();
  await expect.poll(records).toBeUndefined();
  expect((await read()).map((series) => series.name)).toContain(
    'flink_taskmanager_Status_JVM_CPU_Load',
  );
});

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return Math.min(port, 65_000);
}
