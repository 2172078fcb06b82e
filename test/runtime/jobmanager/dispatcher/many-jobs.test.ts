import { expect, it, onTestFinished } from 'vitest';
import { startFakeCluster } from '../fake-cluster.ts';
import { finishing } from '../fake-task-manager.ts';
import { pipeline } from '../graphs.ts';

/** Of how many the journal of a session knows. */
const maxHistory = 1000;

it('a session forgets the oldest jobs that have ended, not those that run', async () => {
  const cluster = await startFakeCluster();
  onTestFinished(() => cluster.close());
  const { dispatcher, journal } = cluster;
  const taskManager = await cluster.taskManager('taskmanager-0', 2);
  const running = await cluster.submit(pipeline('running', 1));
  await taskManager.called('deployTasks');
  taskManager.behaviour = finishing(taskManager);
  const first = await cluster.submit(pipeline('first', 1));
  const outcome = await first.ended;
  expect(await dispatcher.result(first.jobId, 0)).toMatchObject({ outcome: { name: 'first' } });

  const ids = Array.from({ length: maxHistory - 1 }, (_, i) => `f${i}`.padStart(32, '0'));
  const graph = pipeline('other', 1);
  await Promise.all(ids.map((jobId) => journal.admit({ jobId, graph, executeIndex: null })));
  await Promise.all(ids.map((id) => journal.ended({ ...outcome, id }, {})));
  const last = await cluster.submit(pipeline('last', 1));
  await dispatcher.result(last.jobId, 60_000);

  expect(dispatcher.jobs.map((job) => job.graph.name)).toEqual(['running', 'last']);
  expect(dispatcher.view(first.jobId)).toBeNull();
  expect(await dispatcher.result(first.jobId, 0)).toBeNull();
  expect(dispatcher.view(running.jobId)).toMatchObject({ state: 'RUNNING' });
});
