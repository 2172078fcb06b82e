import { afterEach, describe, expect, it } from 'vitest';
import { LeadershipLostError } from '../../../../src/runtime/ha/leadership.ts';
import type { FailureInfo } from '../../../../src/contract/outcome.ts';
import type { Coordinators } from '../../../../src/runtime/jobmanager/scheduler/coordinators.ts';
import type { JobMaster } from '../../../../src/runtime/jobmanager/scheduler/job-master.ts';
import { noTaskMetrics } from '../../../../src/contract/metrics/task-metrics.ts';
import type { TaskDeployment } from '../../../../src/runtime/rpc/protocol.ts';
import {
  type FakeCluster,
  type FakeClusterOptions,
  startFakeCluster,
  timeouts,
} from '../fake-cluster.ts';
import { noFigures } from '../../metrics/no-figures.ts';
import type { FakeTaskManager } from '../fake-task-manager.ts';
import { graph, operator, operatorId, pipeline, vertex } from '../graphs.ts';

let cluster: FakeCluster;

afterEach(() => cluster.close());

/** A cluster of TaskManagers with one slot each, on which a job of that parallelism was submitted. */
async function submit(
  parallelism: number,
  options: FakeClusterOptions = {},
  prepare: (taskManagers: FakeTaskManager[]) => void = () => {},
) {
  cluster = await startFakeCluster(options);
  const taskManagers: FakeTaskManager[] = [];
  for (let i = 0; i < parallelism; i++)
    taskManagers.push(await cluster.taskManager(`taskmanager-${i}`, 1));
  prepare(taskManagers);
  const job = await cluster.submit(pipeline('j', parallelism));
  return { job, taskManagers, first: taskManagers[0]!, second: taskManagers[1]! };
}

/** …and runs. */
async function running(parallelism: number, options: FakeClusterOptions = {}) {
  const submitted = await submit(parallelism, options);
  for (const taskManager of submitted.taskManagers) {
    await taskManager.called('deployTasks');
    for (const task of taskManager.tasks) await taskManager.run(task);
  }
  return submitted;
}

const boom: FailureInfo = { message: 'boom', stack: 'at user.ts:1', task: null, location: null };
const name = (task: TaskDeployment, job: JobMaster) =>
  job.graph.vertices.find((v) => v.id === task.vertexId)!.name;
const find = (taskManager: FakeTaskManager, job: JobMaster, vertexName: string) =>
  taskManager.tasks.find((task) => name(task, job) === vertexName)!;

async function finishAll(taskManagers: readonly FakeTaskManager[], job: JobMaster): Promise<void> {
  for (const taskManager of taskManagers) {
    for (const task of taskManager.tasks) {
      const isSink = name(task, job) === 'sink';
      await taskManager.report(task, 'FINISHED', {
        committables: isSink
          ? { [operatorId('sink')]: [task.subtaskIndex * 10, task.subtaskIndex * 10 + 1] }
          : null,
        metrics: { ...noTaskMetrics, recordsOut: 5, lateRecords: 1, skippedRecords: 3 },
        accumulators: { seen: 2 },
      });
    }
  }
}

async function cancelAll(taskManagers: readonly FakeTaskManager[]): Promise<void> {
  for (const taskManager of taskManagers) {
    await taskManager.called('cancelTasks');
    for (const task of taskManager.tasks) await taskManager.report(task, 'CANCELED');
  }
}

const freeSlots = () => cluster.resources.slots.overview.free;

describe('a job that goes well', () => {
  it('is deployed in two phases, publishes in the order of subtasks, and gives its slots back', async () => {
    const { job, taskManagers, first } = await running(2);
    expect(job.view()).toMatchObject({ state: 'RUNNING', tasks: { RUNNING: 4 } });
    expect(first.calls.map((c) => c.method)).toEqual(['allocateSlot', 'deployTasks']);
    expect(
      first.deployments[0]!.tasks[0]!.outputs[0]!.channels.map((c) => c.peer.taskManager),
    ).toEqual(taskManagers.map((t) => t.id));
    await finishAll(taskManagers, job);
    const outcome = await job.ended;
    expect(outcome).toMatchObject({ state: 'FINISHED', error: null, accumulators: { seen: 8 } });
    expect(outcome.vertices).toMatchObject([
      { name: 'source', state: 'FINISHED', recordsOut: 10, lateRecords: 2, skippedRecords: 6 },
      { name: 'sink', state: 'FINISHED' },
    ]);
    expect(job.collected).toEqual({ result: [0, 1, 10, 11] });
    await expect.poll(freeSlots).toBe(2);
  });

  it('starts no task before every slot listens (A1)', async () => {
    let listen!: () => void;
    const gate = new Promise<void>((resolve) => (listen = resolve));
    const { first, second } = await submit(2, {}, ([, late]) => {
      late!.behaviour.allocateSlot = async (request) => {
        await gate;
        late!.behaviour = {};
        late!.calls.pop(); // the call below counts
        return late!.api.allocateSlot(request);
      };
    });
    await first.called('allocateSlot');
    await second.called('allocateSlot');
    expect(first.count('deployTasks')).toBe(0);
    listen();
    await first.called('deployTasks');
    await second.called('deployTasks');
  });

  it('hands out every split once', async () => {
    const { job, taskManagers } = await running(2);
    const seen: number[] = [];
    const ask = async (taskManager: FakeTaskManager) => {
      const task = find(taskManager, job, 'source');
      const { jobId, jobAttempt } = taskManager.deployments[0]!;
      const request = {
        jobId,
        jobAttempt,
        attemptId: task.attemptId,
        operatorId: operatorId('source'),
        subtaskIndex: task.subtaskIndex,
      };
      for (;;) {
        const split = await taskManager.connection.call('requestSplit', request);
        if (split === null) return;
        seen.push(split['from'] as number);
      }
    };
    await Promise.all(taskManagers.map(ask));
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it('shows what its tasks report with heartbeats', async () => {
    const { job, first } = await running(1);
    const task = find(first, job, 'source');
    const process = { ...noFigures, rssBytes: 7, cpuMs: 5 };
    const metrics = { ...noTaskMetrics, recordsOut: 42, watermark: 7 };
    expect(job.view().vertices[0]!.metricsComplete).toBe(false);
    await first.connection.call('heartbeat', {
      tasks: { [task.attemptId]: metrics, unknown: metrics },
      accumulators: { [task.attemptId]: { seen: 3 } },
      process,
    });
    expect(job.view().vertices[0]).toMatchObject({
      metrics: { recordsOut: 42, watermark: 7 },
      metricsComplete: true,
      accumulators: { seen: 3 },
    });
    expect(cluster.resources.taskManagers[0]!.report?.process).toEqual(process);
  });
});

describe('publishing', () => {
  /** Coordinators whose commit ends when the test says so. */
  function slowCommit() {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const coordinators = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      close: () => made.close(),
      commit: async (committables) => {
        begun.resolve();
        await gate.promise;
        return made.commit(committables);
      },
    });
    return { coordinators, begun: begun.promise, open: gate.resolve };
  }

  it('goes on to its end when the job is cancelled meanwhile (J2)', async () => {
    const { begun, coordinators, open } = slowCommit();
    const { job, first } = await running(1, { coordinators });
    await finishAll([first], job);
    await begun;
    expect(cluster.dispatcher.cancel(job.jobId)).toEqual({ type: 'accepted' });
    cluster.clock.advance(timeouts.cancellation - 2);
    open();
    expect(await job.ended).toMatchObject({ state: 'FINISHED', error: null });
  });

  it('that hangs is not waited for when the cluster ends (J2)', async () => {
    const { begun, coordinators } = slowCommit();
    const { job, first } = await running(1, { coordinators });
    await finishAll([first], job);
    await begun;
    const closed = cluster.dispatcher.close('the application has ended');
    cluster.clock.advance(timeouts.cancellation);
    expect(await closed).toMatchObject([
      { state: 'CANCELED', error: { message: expect.stringContaining('may be public') } },
    ]);
  });

  it('waits until the record says that this JobManager leads (J9)', async () => {
    let answer: () => Promise<void> = async () => {
      throw new Error('EIO');
    };
    let asked = 0;
    const { job, first } = await running(1, {
      checkLeadership: () => {
        asked++;
        return answer();
      },
    });
    await finishAll([first], job);
    await expect.poll(() => asked).toBe(1);
    expect(job.state).toBe('RUNNING');
    answer = async () => {};
    await expect.poll(() => cluster.clock.pending).toBeGreaterThan(0);
    cluster.clock.advance(1001);
    expect(await job.ended).toMatchObject({ state: 'FINISHED' });
    expect(job.collected).toEqual({ result: [0, 1] });
  });

  it('does not begin when another JobManager leads, and the job is not started again (J9)', async () => {
    const { job, first } = await running(1, {
      restart: { strategy: 'fixed-delay', attempts: 3, delayMs: 0 },
      checkLeadership: async () => {
        throw new LeadershipLostError(3, 4);
      },
    });
    await finishAll([first], job);
    expect(await job.ended).toMatchObject({
      state: 'FAILED',
      error: { message: expect.stringContaining('another JobManager leads') },
    });
    expect(job.collected).toEqual({});
  });
});

describe('duplicate and stale reports (J4)', () => {
  it('a repeated report changes nothing', async () => {
    const { job, first } = await running(1);
    const task = find(first, job, 'source');
    await first.report(task, 'RUNNING');
    await first.report(task, 'FINISHED', { metrics: { ...noTaskMetrics, recordsOut: 5 } });
    await first.report(task, 'FINISHED', { metrics: { ...noTaskMetrics, recordsOut: 500 } });
    expect(job.view().vertices[0]!.metrics.recordsOut).toBe(5);
    expect(job.state).toBe('RUNNING');
  });

  it.each([
    ['of another job attempt', { jobAttempt: 1 }],
    ['of an unknown task', { attemptId: 'x_0' }],
    ['of an unknown job', { jobId: 'x' }],
  ])('a report %s is refused', async (_what, fields) => {
    const { job, first } = await running(1);
    const task = find(first, job, 'source');
    await expect(first.report(task, 'FAILED', { error: boom, ...fields })).rejects.toMatchObject({
      code: 'stale',
    });
    expect(job.state).toBe('RUNNING');
  });

  it('a report of another TaskManager is refused', async () => {
    const { job, first, second } = await running(2);
    const task = find(first, job, 'source');
    const { jobId, jobAttempt } = first.deployments[0]!;
    const change = {
      jobId,
      jobAttempt,
      attemptId: task.attemptId,
      state: 'FAILED',
      error: boom,
      metrics: null,
      committables: null,
      accumulators: null,
    } as const;
    await expect(second.connection.call('taskChanged', change)).rejects.toMatchObject({
      code: 'stale',
    });
    expect(job.state).toBe('RUNNING');
  });

  it('a report after the end is refused', async () => {
    const { job, first } = await running(1);
    await finishAll([first], job);
    await job.ended;
    await expect(first.report(first.tasks[0]!, 'FAILED')).rejects.toMatchObject({ code: 'stale' });
    expect(job.state).toBe('FINISHED');
  });

  it('a report that cannot be true fails the job', async () => {
    const { job, first } = await running(1);
    await expect(first.report(first.tasks[0]!, 'INITIALIZING')).rejects.toMatchObject({
      code: 'failed',
    });
    await cancelAll([first]);
    expect((await job.ended).error?.message).toContain('reports INITIALIZING');
  });
});

describe('failure', () => {
  it('of a task while others are still being deployed', async () => {
    const never = new Promise<never>(() => {});
    const { job, first, second } = await submit(2, {}, ([, late]) => {
      late!.behaviour.deployTasks = () => never;
    });
    await first.called('deployTasks');
    await second.called('deployTasks');
    await first.report(first.tasks[0]!, 'FAILED', { error: boom });
    expect(job.state).toBe('FAILING');
    await second.called('cancelTasks');
    await first.report(first.tasks[1]!, 'CANCELED');
    for (const task of second.tasks) await second.report(task, 'CANCELED');
    const outcome = await job.ended;
    expect(outcome).toMatchObject({
      state: 'FAILED',
      error: {
        message: 'boom',
        stack: 'at user.ts:1',
        task: 'source (1/2)',
        location: 'taskmanager-0',
      },
    });
    expect(outcome.vertices.map((v) => v.state)).toEqual(['FAILED', 'CANCELED']);
    await expect.poll(freeSlots).toBe(2);
  });

  it('keeps its root cause when others follow (J1)', async () => {
    const { job, first, second } = await running(2);
    await first.report(find(first, job, 'source'), 'FAILED', { error: boom });
    // Its peer sees the channel break, which is a consequence: it was told to cancel already.
    await second.report(find(second, job, 'sink'), 'FAILED', {
      error: { ...boom, message: 'channel lost' },
    });
    expect(find(second, job, 'sink')).toBeDefined();
    await second.report(find(second, job, 'source'), 'CANCELED');
    await first.report(find(first, job, 'sink'), 'CANCELED');
    const { error } = await job.ended;
    expect(error?.message).toBe('boom');
    expect(job.view().exceptions).toHaveLength(1);
  });

  it('of a TaskManager that is lost names it', async () => {
    const { job, first, second } = await running(2);
    second.connection.close();
    await cancelAll([first]);
    const outcome = await job.ended;
    expect(outcome.error?.message).toMatch(
      /^TaskManager taskmanager-1 was lost: the connection was lost/,
    );
    expect(outcome.error?.location).toBe('taskmanager-1');
    expect(cluster.resources.slots.overview).toEqual({ taskManagers: 1, total: 1, free: 1 });
  });

  const peerLost: FailureInfo = {
    ...boom,
    kind: 'peer-lost',
    message: 'whatever a transport says when its peer is gone',
  };

  it('of a TaskManager is the root cause also when a peer notices first (J5)', async () => {
    const { job, first, second } = await running(2);
    await first.report(find(first, job, 'source'), 'FAILED', { error: peerLost });
    expect(job.state).toBe('RUNNING');
    second.connection.close();
    await first.called('cancelTasks');
    await first.report(find(first, job, 'sink'), 'CANCELED');
    expect((await job.ended).error?.message).toMatch(/^TaskManager taskmanager-1 was lost/);
  });

  it('of a data connection alone fails the job after a moment (J5)', async () => {
    const { job, first } = await running(1);
    await first.report(find(first, job, 'sink'), 'FAILED', { error: peerLost });
    cluster.clock.advance(999);
    expect(job.state).toBe('RUNNING');
    cluster.clock.advance(1);
    expect(job.state).toBe('FAILING');
    await first.called('cancelTasks');
    await first.report(find(first, job, 'source'), 'CANCELED');
    const { kind, message } = peerLost;
    expect((await job.ended).error).toMatchObject({ kind, message });
  });

  it('is no consequence by what its message says (J5)', async () => {
    const { job, first } = await running(1);
    const message = 'the data connection to the warehouse is lost';
    const error: FailureInfo = { ...boom, kind: 'user-code', message };
    await first.report(find(first, job, 'sink'), 'FAILED', { error });
    expect(job.state).toBe('FAILING');
    await first.called('cancelTasks');
    await first.report(find(first, job, 'source'), 'CANCELED');
    expect((await job.ended).error).toMatchObject({ kind: 'user-code', message });
  });

  it('of a slot is the root cause also when a peer of it in another slot speaks first (J5)', async () => {
    const { job, first, second } = await running(2);
    await first.report(find(first, job, 'sink'), 'FAILED', { error: peerLost });
    const { allocationId, jobId, jobAttempt } = second.deployments[0]!;
    const error: FailureInfo = { ...boom, kind: 'slot-lost', message: 'process.exit()' };
    await second.connection.call('slotLost', { allocationId, jobId, jobAttempt, error });
    await cancelAll([first]);
    expect((await job.ended).error).toMatchObject({ kind: 'slot-lost', message: 'process.exit()' });
  });

  it('with a message of megabytes is told in short', async () => {
    const { job, first } = await running(1);
    const message = `boom ${'x'.repeat(500_000)} end`;
    await first.report(find(first, job, 'sink'), 'FAILED', { error: { ...boom, message } });
    await first.called('cancelTasks');
    await first.report(find(first, job, 'source'), 'CANCELED');
    const { error } = await job.ended;
    expect(error!.message.length).toBeLessThan(20_000);
    expect(error!.message).toMatch(/^boom x+… \(\d+ characters left out\) …x+ end$/);
  });

  it('of a TaskManager that is silent comes with the heartbeat timeout', async () => {
    const { job, first } = await running(1, { heartbeatTimeoutMs: 5000 });
    cluster.clock.advance(4999);
    expect(job.state).toBe('RUNNING');
    cluster.clock.advance(1);
    const outcome = await job.ended;
    expect(outcome.error?.message).toBe(
      'TaskManager taskmanager-0 was lost: no sign of life for 5000 ms',
    );
    expect(await first.connection.closed).toMatchObject({ type: 'connection-lost' });
  });

  it('of a slot carries what its isolate died of', async () => {
    const { job, first } = await running(1);
    const { allocationId, jobId, jobAttempt } = first.deployments[0]!;
    const error = { ...boom, message: 'the slot ran out of memory' };
    const loss = { allocationId, jobId, jobAttempt, error };
    await first.connection.call('slotLost', loss);
    const outcome = await job.ended;
    expect(outcome.error).toMatchObject({
      message: 'the slot ran out of memory',
      location: 'taskmanager-0',
    });
    expect(first.count('cancelTasks')).toBe(0); // nobody is there to ask
    await expect.poll(freeSlots).toBe(1);
    await expect(first.connection.call('slotLost', loss)).rejects.toMatchObject({ code: 'stale' });
  });

  it('to make a slot fails the job before anything runs', async () => {
    const { job, first, second } = await submit(2, {}, ([broken]) => {
      broken!.behaviour.allocateSlot = () => Promise.reject(new Error('no bundle'));
    });
    const outcome = await job.ended;
    expect(outcome.error?.message).toBe('taskmanager-0 cannot make a slot: no bundle');
    expect([first.count('deployTasks'), second.count('deployTasks')]).toEqual([0, 0]);
    expect([first.count('freeSlot'), second.count('freeSlot')]).toEqual([1, 1]);
  });

  it('to start tasks carries the reason', async () => {
    const { job, first, second } = await submit(2, {}, ([broken]) => {
      broken!.behaviour.deployTasks = () =>
        Promise.reject(new Error('the builder is not deterministic'));
    });
    await first.called('deployTasks');
    await cancelAll([second]);
    const outcome = await job.ended;
    expect(outcome.error?.message).toBe(
      'taskmanager-0 cannot start tasks: the builder is not deterministic',
    );
  });

  it('of an input that is missing comes before any slot is asked for', async () => {
    cluster = await startFakeCluster();
    const source = vertex('files', 1, {
      operators: [
        operator('files', {
          enumerator: { kind: 'files', options: { path: '/does/not/exist.csv', format: 'lines' } },
        }),
      ],
    });
    const job = await cluster.submit(graph('j', [source]));
    const outcome = await job.ended;
    expect(outcome.error).toMatchObject({ task: 'files', location: 'jobmanager' });
    expect(outcome.error?.message).toContain('/does/not/exist.csv');
    expect(job.view().vertices[0]!.state).toBe('CANCELED');
  });

  it('to hand out a split fails the job', async () => {
    const failing = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      commit: (committables) => made.commit(committables),
      close: () => made.close(),
      nextSplit: () => Promise.reject(new Error('the file is gone')),
    });
    const { job, first } = await running(1, { coordinators: failing });
    const { jobId, jobAttempt, tasks } = first.deployments[0]!;
    const { attemptId } = tasks[0]!;
    const request = {
      jobId,
      jobAttempt,
      attemptId,
      operatorId: operatorId('source'),
      subtaskIndex: 0,
    };
    await expect(first.connection.call('requestSplit', request)).rejects.toThrow(
      'the file is gone',
    );
    await cancelAll([first]);
    expect((await job.ended).error?.message).toBe('the file is gone');
  });

  it('to publish fails the job, and what was not published is removed', async () => {
    let closed = 0;
    const failing = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      commit: () => Promise.reject(new Error('disk full')),
      close: () => {
        closed++;
        return made.close();
      },
    });
    const { job, first } = await running(1, { coordinators: failing });
    await finishAll([first], job);
    expect(await job.ended).toMatchObject({ state: 'FAILED', error: { message: 'disk full' } });
    expect(closed).toBe(1);
    expect(job.collected).toEqual({});
  });
});

describe('slots', () => {
  it('that do not come in time fail the job with what is missing', async () => {
    cluster = await startFakeCluster();
    await cluster.taskManager('taskmanager-0', 1);
    await cluster.taskManager('taskmanager-1', 1);
    const job = await cluster.submit(pipeline('wide', 4));
    await expect.poll(() => job.view().tasks.SCHEDULED).toBe(8);
    expect(job.state).toBe('RUNNING'); // as Flink's
    cluster.clock.advance(timeouts.slotRequest);
    const { error, state } = await job.ended;
    expect(state).toBe('FAILED');
    expect(error?.message).toBe(
      "job 'wide' needs 4 slots, 2 TaskManagers offer 2; raise taskmanager.replicas or taskmanager.slots, " +
        'or lower application.parallelism (waited 60 s)',
    );
    expect(freeSlots()).toBe(2);
  });

  it('are waited for until TaskManagers come', async () => {
    cluster = await startFakeCluster();
    const job = await cluster.submit(pipeline('j', 1));
    await expect.poll(() => job.view().tasks.SCHEDULED).toBe(2);
    const taskManager = await cluster.taskManager('taskmanager-0', 1);
    await taskManager.called('deployTasks');
    expect(job.view().tasks.DEPLOYING).toBe(2);
  });

  it('are given to the next job only when the TaskManager has freed them (R3)', async () => {
    const { job, first } = await running(1);
    let free!: () => void;
    first.behaviour.freeSlot = () => new Promise((resolve) => (free = resolve));
    const next = await cluster.submit(pipeline('next', 1));
    await finishAll([first], job);
    await job.ended;
    await first.called('freeSlot');
    expect(first.count('allocateSlot')).toBe(1);
    free();
    await first.called('allocateSlot', 2);
    expect(next.view().attempt).toBe(0);
  });
});

describe('cancelling', () => {
  it('while it waits for slots', async () => {
    cluster = await startFakeCluster();
    const job = await cluster.submit(pipeline('j', 1));
    await expect.poll(() => job.view().tasks.SCHEDULED).toBe(2);
    expect(job.cancel()).toBe(true);
    expect(await job.ended).toMatchObject({ state: 'CANCELED', error: null });
    const taskManager = await cluster.taskManager('taskmanager-0', 1);
    expect(freeSlots()).toBe(1); // its request is withdrawn
    expect(taskManager.calls).toEqual([]);
  });

  it('at once after it was submitted', async () => {
    cluster = await startFakeCluster();
    const taskManager = await cluster.taskManager('taskmanager-0', 1);
    const job = await cluster.submit(pipeline('j', 1));
    job.cancel();
    expect(job.state).toBe('CANCELLING');
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
    expect(taskManager.count('deployTasks')).toBe(0);
  });

  it('while slots are being made takes them back (A2)', async () => {
    let listen!: () => void;
    const gate = new Promise<void>((resolve) => (listen = resolve));
    const { job, first, second } = await submit(2, {}, ([, late]) => {
      late!.behaviour.allocateSlot = async ({ allocationId }) => {
        await gate;
        return { allocationId, taskManager: late!.id, host: 'h', dataPort: 1 };
      };
    });
    await second.called('allocateSlot');
    job.cancel();
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
    expect([first.count('freeSlot'), second.count('freeSlot')]).toEqual([1, 1]);
    listen();
    await second.answered();
    for (const { id } of [first, second]) await cluster.resources.call(id, 'heartbeat');
    expect([first.count('deployTasks'), second.count('deployTasks')]).toEqual([0, 0]);
    expect(freeSlots()).toBe(2);
  });

  it('while tasks are being started cancels them all', async () => {
    const never = new Promise<never>(() => {});
    const { job, first, second } = await submit(2, {}, ([, late]) => {
      late!.behaviour.deployTasks = () => never;
    });
    await first.called('deployTasks');
    await second.called('deployTasks');
    job.cancel();
    await cancelAll([first, second]);
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
  });

  it('ends CANCELED when a TaskManager is lost meanwhile', async () => {
    const { job, first, second } = await running(2);
    job.cancel();
    await second.called('cancelTasks');
    second.connection.close();
    await cancelAll([first]);
    expect(await job.ended).toMatchObject({ state: 'CANCELED', error: null });
  });

  it('publishes nothing when all tasks report FINISHED late', async () => {
    let published = 0;
    const counting = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      commit: (committables) => {
        published++;
        return made.commit(committables);
      },
      close: () => made.close(),
    });
    const { job, first } = await running(1, { coordinators: counting });
    job.cancel();
    await first.called('cancelTasks');
    await finishAll([first], job);
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
    expect(published).toBe(0);
    expect(job.view().tasks.CANCELED).toBe(2);
  });

  it('is too late once it publishes (J2)', async () => {
    let publish!: () => void;
    const gate = new Promise<void>((resolve) => (publish = resolve));
    let began!: () => void;
    const publishing = new Promise<void>((resolve) => (began = resolve));
    const slow = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      commit: async (committables) => {
        began();
        await gate;
        return made.commit(committables);
      },
      close: () => made.close(),
    });
    const { job, first } = await running(1, { coordinators: slow });
    await finishAll([first], job);
    await publishing;
    expect(job.cancel()).toBe(true);
    first.connection.close(); // neither does this matter any more
    publish();
    expect(await job.ended).toMatchObject({ state: 'FINISHED' });
    expect(job.cancel()).toBe(false);
  });

  it('does not hide a failure that came first', async () => {
    const { job, first } = await running(1);
    await first.report(find(first, job, 'source'), 'FAILED', { error: boom });
    expect(job.cancel()).toBe(true);
    await first.report(find(first, job, 'sink'), 'CANCELED');
    expect(await job.ended).toMatchObject({ state: 'FAILED', error: { message: 'boom' } });
  });

  it('ends the slot of a task that does not cancel in time (A3)', async () => {
    const { job, first } = await running(1);
    job.cancel();
    await first.called('cancelTasks');
    cluster.clock.advance(timeouts.cancellation - 1);
    expect(first.count('freeSlot')).toBe(0);
    cluster.clock.advance(1);
    await first.called('freeSlot');
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
    expect(freeSlots()).toBe(1);
  });

  it('disconnects a TaskManager that cannot end a slot (A3), and tells it when it comes back', async () => {
    const { job, first } = await running(1);
    first.behaviour.freeSlot = () => new Promise(() => {});
    job.cancel();
    await first.called('cancelTasks');
    cluster.clock.advance(timeouts.cancellation);
    await first.called('freeSlot');
    cluster.clock.advance(timeouts.call);
    expect(await job.ended).toMatchObject({ state: 'CANCELED' });
    await first.connection.closed;
    expect(cluster.resources.taskManagers).toEqual([]);
    const back = await cluster.taskManager('taskmanager-0', 1);
    expect(back.registered.freeAllocations).toEqual([first.deployments[0]!.allocationId]);
    expect(freeSlots()).toBe(1);
  });
});

describe('registration', () => {
  it('is refused for another protocol and for nonsense', async () => {
    cluster = await startFakeCluster();
    const { connection } = await cluster.taskManager('taskmanager-0', 1);
    const good = { protocol: 1, address: 'h', slots: 1, cpuCores: 1, memoryBytes: 1, pid: 1 };
    expect(await connection.call('register', good)).toMatchObject({ epoch: 3 }); // P3: again is the same
    const other = cluster.taskManager('taskmanager-1', 0);
    await expect(other).rejects.toThrow(/did not say properly/);
    expect(cluster.resources.taskManagers.map((t) => t.name)).toEqual(['taskmanager-0']);
  });

  it('of a new process of the same name replaces the old one (R2)', async () => {
    const { job, first } = await running(1);
    const young = await cluster.taskManager('taskmanager-0', 1, '2');
    expect((await job.ended).error?.message).toContain('taskmanager-0/2 took its place');
    expect(await first.connection.closed).toMatchObject({ type: 'connection-lost' });
    expect(cluster.resources.taskManagers.map((t) => t.id)).toEqual([young.id]);
    expect(young.registered.freeAllocations).toEqual([]);
  });

  it('of the same process over a new connection loses what ran on the old one (R2)', async () => {
    const { job, first } = await running(1);
    const again = await cluster.taskManager('taskmanager-0', 1);
    expect((await job.ended).state).toBe('FAILED');
    expect(again.registered.freeAllocations).toEqual([first.deployments[0]!.allocationId]);
    await expect(first.connection.call('taskChanged', {} as never)).rejects.toMatchObject({
      code: 'closed',
    });
  });

  it('after the end is answered by the dismissal', async () => {
    cluster = await startFakeCluster();
    const early = await cluster.taskManager('taskmanager-0', 1);
    const dismissed = cluster.resources.dismiss(2, 1000);
    await early.called('dismiss');
    const late = await cluster.taskManager('taskmanager-1', 1);
    await dismissed; // without that time passed
    expect([early.count('dismiss'), late.count('dismiss')]).toEqual([1, 1]);
    expect(cluster.resources.slots.overview.total).toBe(1);
  });

  it('is not waited for after a TaskManager that was lost', async () => {
    cluster = await startFakeCluster();
    const lost = await cluster.taskManager('taskmanager-0', 1);
    lost.connection.close();
    await expect.poll(() => cluster.resources.taskManagers).toEqual([]);
    await expect(cluster.resources.dismiss(1, 1000)).resolves.toBeUndefined();
  });

  it('of a TaskManager that never comes is not waited for longer than told', async () => {
    cluster = await startFakeCluster();
    const dismissed = cluster.resources.dismiss(1, 1000);
    cluster.clock.advance(1000);
    await expect(dismissed).resolves.toBeUndefined();
  });

  it('of a TaskManager that does not answer its dismissal holds nobody up', async () => {
    cluster = await startFakeCluster();
    const deaf = await cluster.taskManager('taskmanager-0', 1);
    deaf.behaviour.dismiss = () => new Promise(() => {});
    const dismissed = cluster.resources.dismiss(1, 1000);
    await deaf.called('dismiss');
    cluster.clock.advance(1000);
    await expect(dismissed).resolves.toBeUndefined();
  });
});

describe('submission', () => {
  it('is refused for what is no job graph, and when the cluster ends', async () => {
    cluster = await startFakeCluster();
    const jobId = 'a'.repeat(32);
    const refused = (reason: string) => ({ type: 'refused', reason });
    expect(await cluster.dispatcher.submit({ jobId, graph: { vertices: 1 } })).toMatchObject(
      refused('invalid'),
    );
    const good = JSON.parse(JSON.stringify(pipeline('j', 1)));
    expect(await cluster.dispatcher.submit({ jobId: 'x', graph: good })).toMatchObject(
      refused('invalid'),
    );
    await cluster.dispatcher.close('the application has ended');
    expect(await cluster.dispatcher.submit({ jobId, graph: good })).toMatchObject(
      refused('unavailable'),
    );
  });

  it('is the same job when it is repeated', async () => {
    cluster = await startFakeCluster();
    const request = { jobId: 'a'.repeat(32), graph: JSON.parse(JSON.stringify(pipeline('j', 1))) };
    const { dispatcher } = cluster;
    const accepted = { type: 'accepted', jobId: request.jobId };
    const both = await Promise.all([dispatcher.submit(request), dispatcher.submit(request)]);
    expect(both).toEqual([accepted, accepted]);
    expect(await dispatcher.submit(request)).toEqual(accepted);
    expect(dispatcher.running).toHaveLength(1);
  });

  it('is refused under the id of another job, also while that one is taken in', async () => {
    cluster = await startFakeCluster();
    const { dispatcher } = cluster;
    const jobId = 'a'.repeat(32);
    const graphOf = (hash: string) => ({
      ...JSON.parse(JSON.stringify(pipeline('j', 1))),
      hash: hash.repeat(64),
    });
    const first = dispatcher.submit({ jobId, graph: graphOf('c') });
    const refused = { type: 'refused', reason: 'conflict' };
    expect(await dispatcher.submit({ jobId, graph: graphOf('d') })).toMatchObject(refused);
    expect(await first).toMatchObject({ type: 'accepted' });
    expect(await dispatcher.submit({ jobId, graph: graphOf('d') })).toMatchObject(refused);
    expect(await dispatcher.submit({ jobId, graph: graphOf('c') })).toEqual(await first);
  });

  it('gives a result that can be waited for', async () => {
    const { job, first } = await running(1);
    const { dispatcher, clock } = cluster;
    expect(await dispatcher.result('unknown', 1000)).toBeNull();
    const early = dispatcher.result(job.jobId, 1000);
    clock.advance(1000);
    expect(await early).toMatchObject({ outcome: null });
    const result = dispatcher.result(job.jobId, 1000);
    await finishAll([first], job);
    expect(await result).toMatchObject({
      outcome: { state: 'FINISHED' },
      collected: { result: [0, 1] },
    });
    expect(dispatcher.cancel(job.jobId)).toMatchObject({ reason: 'conflict' });
    expect(dispatcher.cancel('unknown')).toMatchObject({ reason: 'not-found' });
  });
});
