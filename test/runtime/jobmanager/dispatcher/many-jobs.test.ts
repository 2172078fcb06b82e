import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { JobStatus } from '../../../../src/runtime/jobmanager/scheduler/job-status.ts';
import { type FakeClusterOptions, startFakeCluster } from '../fake-cluster.ts';
import type { FakeTaskManager } from '../fake-task-manager.ts';
import { operatorId, pipeline } from '../graphs.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function start(options: FakeClusterOptions) {
  const cluster = await startFakeCluster(options);
  onTestFinished(() => cluster.close());
  const taskManager = await cluster.taskManager('taskmanager-0', 2);
  return { ...cluster, taskManager };
}

/** Every job that is deployed finishes; its sink prepared these records. */
function finishWith(taskManager: FakeTaskManager, records: () => readonly unknown[]): void {
  taskManager.behaviour.deployTasks = async ({ graph, tasks }) => {
    void (async () => {
      for (const task of tasks) {
        await taskManager.run(task);
        const isSink = graph.vertices.find(({ id }) => id === task.vertexId)!.name === 'sink';
        const committables = isSink ? { [operatorId('sink')]: records() as never[] } : null;
        await taskManager.report(task, 'FINISHED', { committables });
      }
      taskManager.calls.length = 0; // its own memory is not what is looked at
    })();
  };
}

it('a session forgets the oldest jobs that have ended, not those that run', async () => {
  const { dispatcher, submit, taskManager } = await start({ remember: { maxJobs: 2 } });
  const running = await submit(pipeline('running', 1));
  await taskManager.called('deployTasks');
  finishWith(taskManager, () => [1]);
  const ids: string[] = [];
  for (const name of ['first', 'second', 'third']) {
    const { jobId } = await submit(pipeline(name, 1));
    ids.push(jobId);
    expect(await dispatcher.result(jobId, 60_000)).toMatchObject({
      outcome: { name, state: JobStatus.finished },
      collected: { result: [1] },
    });
  }
  expect(dispatcher.views().map(({ name }) => name)).toEqual(['running', 'second', 'third']);
  const [first, ...others] = ids;
  expect([dispatcher.view(first!), await dispatcher.result(first!, 0)]).toEqual([null, null]);
  for (const id of others) expect(dispatcher.view(id)).toMatchObject({ state: 'FINISHED' });
  expect(dispatcher.view(running.jobId)).toMatchObject({ state: 'RUNNING' });
});

it('what was collected goes when others need the room, that which was fetched before all', async () => {
  const text = 'x'.repeat(1000);
  const { dispatcher, submit, taskManager } = await start({
    remember: { maxCollectedBytes: 2100 },
  });
  finishWith(taskManager, () => [text]);
  const run = async (name: string) => {
    const master = await submit(pipeline(name, 1));
    await master.ended;
    return { name, id: master.jobId, fetch: () => dispatcher.result(master.jobId, 60_000) };
  };
  const [a, b] = [await run('a'), await run('b')];
  expect(await b.fetch()).toMatchObject({ collected: { result: [text] } });
  expect(await b.fetch()).toMatchObject({ collected: { result: [text] } }); // the answer was lost
  await (await run('c')).fetch();
  expect(await a.fetch()).toMatchObject({ collected: { result: [text] } });
  expect(await b.fetch()).toMatchObject({
    outcome: { state: 'FINISHED' },
    collected: {},
    collectedError: expect.stringContaining("what job 'b' collected is gone"),
  });
});

it('of old jobs with many subtasks the vertices stay', async () => {
  const { dispatcher, submit, taskManager } = await start({ remember: { maxSubtasks: 2 } });
  finishWith(taskManager, () => []);
  const ids: string[] = [];
  for (const name of ['old', 'new']) {
    const master = await submit(pipeline(name, 1));
    ids.push(master.jobId);
    await dispatcher.result(master.jobId, 60_000);
  }
  const subtasks = ids.map((id) => dispatcher.view(id)!.vertices.map((v) => v.subtasks.length));
  expect(subtasks).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(dispatcher.view(ids[0]!)!.vertices[0]).toMatchObject({ state: 'FINISHED' });
});

it('hundreds of small jobs leave the memory of a JobManager as it was', async () => {
  const { dispatcher, submit, taskManager } = await start({ remember: { maxJobs: 50 } });
  const records = Array.from({ length: 100 }, (_, i) => ({ word: `word ${i}`, count: i }));
  finishWith(taskManager, () => records);
  const masters: WeakRef<object>[] = [];
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const master = await submit(pipeline(`job ${i}`, 1));
      masters.push(new WeakRef(master));
      await dispatcher.result(master.jobId, 60_000);
    }
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const { external, heapUsed } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = await run(100);
  const after = await run(800);
  expect(masters.filter((master) => master.deref() !== undefined).length).toBeLessThan(5);
  // Half of what the records of the jobs alone would take; a heap varies by one or two MiB by itself.
  expect(after - before).toBeLessThan(4 * 1024 * 1024);
  expect(dispatcher.views()).toHaveLength(50);
});
