import { afterEach, describe, expect, it } from 'vitest';
import type { Coordinators } from '../../../../src/runtime/jobmanager/scheduler/coordinators.ts';
import type { JobMaster } from '../../../../src/runtime/jobmanager/scheduler/job-master.ts';
import type { SlotDeployment } from '../../../../src/runtime/rpc/protocol.ts';
import { type FakeCluster, startFakeCluster } from '../fake-cluster.ts';
import type { FakeTaskManager } from '../fake-task-manager.ts';
import { pipeline } from '../graphs.ts';

const jobs = 50;
const maxConcurrentRestarts = 4;
const delayMs = 1000;
const restart = { strategy: 'fixed-delay', attempts: 1, delayMs } as const;

let cluster: FakeCluster;

afterEach(() => cluster.close());

/** Watches jobs between the start of their sources and sinks and the moment when all of their tasks run. */
class Deploying {
  readonly #begun: JobMaster[] = [];
  most = 0;

  get now(): number {
    return this.#begun.filter((job) => job.view().tasks.RUNNING < 2).length;
  }

  begin(job: JobMaster): void {
    this.#begun.push(job);
    this.most = Math.max(this.most, this.now);
  }
}

/** As many jobs of one slot each, all on one TaskManager, which is lost while they run. */
async function storm() {
  const deploying = new Deploying();
  const masters: JobMaster[] = [];
  /** Made once for each attempt, in the order of the jobs. */
  let made = 0;
  const watch = (coordinators: Coordinators): Coordinators => {
    const index = made++ - jobs;
    const start = () => {
      if (index >= 0 && index < jobs) deploying.begin(masters[index]!);
      return coordinators.start();
    };
    return wrap(coordinators, start);
  };
  cluster = await startFakeCluster({
    restart,
    maxConcurrentRestarts,
    coordinators: watch,
  });
  const first = await cluster.taskManager('taskmanager-0', jobs);
  for (let i = 0; i < jobs; i++) masters.push(await cluster.submit(pipeline(`job ${i}`, 1)));
  await first.called('deployTasks', jobs);
  for (const { tasks } of first.deployments) for (const task of tasks) await first.run(task);
  first.connection.close();
  await expect.poll(() => states(masters)).toEqual({ RESTARTING: jobs });
  await expect
    .poll(() => {
      cluster.clock.advance(delayMs);
      return states(masters);
    })
    .toEqual({ RUNNING: jobs });
  return { deploying, masters };
}

const wrap = (made: Coordinators, start: () => Promise<void>): Coordinators => ({
  start,
  nextSplit: (id, request) => made.nextSplit(id, request),
  commit: (committables) => made.commit(committables),
  close: () => made.close(),
});

function states(masters: readonly JobMaster[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of masters) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

const indexOf = (masters: readonly JobMaster[], { jobId }: SlotDeployment) =>
  masters.findIndex((master) => master.jobId === jobId);

const settled = async (taskManager: FakeTaskManager) => {
  for (let i = 0; i < 5; i++) await taskManager.answered();
};

describe('50 jobs that lose their TaskManager at once', () => {
  it('come back a few at a time, in their order', async () => {
    const { deploying, masters } = await storm();
    const next = await cluster.taskManager('taskmanager-0', jobs, '2');
    for (let done = 0; done < jobs; done++) {
      await next.called('deployTasks', Math.min(jobs, done + maxConcurrentRestarts));
      await settled(next); // more would come now
      expect(next.deployments).toHaveLength(Math.min(jobs, done + maxConcurrentRestarts));
      expect(deploying.now).toBe(Math.min(jobs - done, maxConcurrentRestarts));
      const oldest = next.deployments[done]!;
      expect(indexOf(masters, oldest)).toBe(done);
      for (const task of oldest.tasks) await next.run(task);
    }
    expect(deploying.most).toBe(maxConcurrentRestarts);
    expect(masters.map((m) => m.view().tasks.RUNNING)).toEqual(masters.map(() => 2));
    expect(masters.map((m) => m.view().attempt)).toEqual(masters.map(() => 1));
  });

  it('say what they wait for', async () => {
    const { masters } = await storm();
    const waits = () => masters.map((master) => master.view().waitsFor);
    expect(waits().slice(0, 2)).toEqual([
      'waits for 1 of 1 slot; no TaskManager is registered',
      "waits for 1 of 1 slot; no TaskManager is registered; queued behind job 'job 0'",
    ]);
    const [first] = masters;
    expect(cluster.dispatcher.attempts(first!.jobId)).toMatchObject({
      state: 'RUNNING',
      attempts: [{ state: 'FAILED' }, { state: 'RUNNING' }],
      waitsFor: 'waits for 1 of 1 slot; no TaskManager is registered',
    });
    const next = await cluster.taskManager('taskmanager-0', jobs, '2');
    await next.called('deployTasks', maxConcurrentRestarts);
    await settled(next);
    expect(waits().slice(0, maxConcurrentRestarts)).toEqual([null, null, null, null]);
    expect(waits()[maxConcurrentRestarts]).toBe(
      'waits for its turn to start again; 0 before it; jobmanager.maxConcurrentRestarts is 4',
    );
    expect(waits().at(-1)).toContain('45 before it');
  });

  it('give their turn to the next when they fail or are cancelled', async () => {
    const { masters } = await storm();
    const next = await cluster.taskManager('taskmanager-0', jobs, '2');
    await next.called('deployTasks', maxConcurrentRestarts);
    masters[10]!.cancel(); // in the queue
    expect((await masters[10]!.ended).state).toBe('CANCELED');
    masters[0]!.cancel(); // while it is deployed
    const [first, second] = next.deployments;
    const boom = { message: 'boom', stack: null, task: null, location: null };
    await next.report(second!.tasks[0]!, 'FAILED', { error: boom }); // its only restart
    await next.called('deployTasks', maxConcurrentRestarts + 2);
    await settled(next);
    expect(next.deployments.map((d) => indexOf(masters, d))).toEqual([0, 1, 2, 3, 4, 5]);
    for (const task of first!.tasks) await next.report(task, 'CANCELED');
    await next.report(second!.tasks[1]!, 'CANCELED');
    expect((await masters[0]!.ended).state).toBe('CANCELED');
    expect((await masters[1]!.ended).state).toBe('FAILED');
    const others = new Set<number>();
    while (others.size < jobs - 3) {
      for (const deployment of next.deployments.slice(2)) {
        const index = indexOf(masters, deployment);
        if (others.has(index)) continue;
        for (const task of deployment.tasks) await next.run(task);
        others.add(index);
      }
      await next.answered();
    }
    expect(states(masters)).toEqual({ RUNNING: jobs - 3, CANCELED: 2, FAILED: 1 });
  });

  it('do not spend their turns on slots that are not there', async () => {
    const { masters } = await storm();
    const small = await cluster.taskManager('taskmanager-0', 2, '2');
    await small.called('deployTasks', 2);
    for (const { tasks } of small.deployments) for (const task of tasks) await small.run(task);
    await settled(small);
    expect(masters[2]!.view().waitsFor).toBe('waits for 1 of 1 slot; 0 free');
    const large = await cluster.taskManager('taskmanager-1', jobs - 2);
    await large.called('deployTasks', maxConcurrentRestarts);
    expect(large.deployments.map((d) => indexOf(masters, d))).toEqual([2, 3, 4, 5]);
  });
});

describe('jobs that are new', () => {
  it('wait for nobody else to start again', async () => {
    const { masters } = await storm();
    const next = await cluster.taskManager('taskmanager-0', jobs + 1, '2');
    await next.called('deployTasks', maxConcurrentRestarts);
    const young = await cluster.submit(pipeline('young', 1));
    await next.called('deployTasks', maxConcurrentRestarts + 1);
    expect(next.deployments.at(-1)!.jobId).toBe(young.jobId);
    expect(masters[maxConcurrentRestarts]!.view().waitsFor).toContain('waits for its turn');
  });
});
