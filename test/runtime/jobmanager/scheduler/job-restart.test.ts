import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../../../src/api/sink.ts';
import { FileSink } from '../../../../src/connectors/files/index.ts';
import type { FailureInfo } from '../../../../src/contract/outcome.ts';
import {
  type Coordinators,
  createCoordinators,
} from '../../../../src/runtime/jobmanager/scheduler/coordinators.ts';
import { JobMaster } from '../../../../src/runtime/jobmanager/scheduler/job-master.ts';
import { createRestartStrategy } from '../../../../src/runtime/jobmanager/scheduler/restart-strategy.ts';
import { RestartThrottle } from '../../../../src/runtime/jobmanager/scheduler/restart-throttle.ts';
import type { SlotAllocation, TaskDeployment } from '../../../../src/runtime/rpc/protocol.ts';
import {
  type FakeCluster,
  type FakeClusterOptions,
  startFakeCluster,
  timeouts,
} from '../fake-cluster.ts';
import type { FakeTaskManager } from '../fake-task-manager.ts';
import { MemoryRecord } from '../../ha/memory-record.ts';
import { graph, operator, operatorId, pipeline, vertex } from '../graphs.ts';
import { silentLogger } from '../silent-logger.ts';

let cluster: FakeCluster;

afterEach(() => cluster.close());

const delayMs = 1000;
const twice = { restart: { strategy: 'fixed-delay', attempts: 2, delayMs } } as const;
const boom: FailureInfo = { message: 'boom', stack: null, task: null, location: null };

/** A job of one slot that runs. */
async function running(options: FakeClusterOptions = {}) {
  cluster = await startFakeCluster({ ...twice, ...options });
  const taskManager = await cluster.taskManager('taskmanager-0', 1);
  const job = await cluster.submit(pipeline('j', 1));
  await run(taskManager, 1);
  return { job, taskManager };
}

/** Those that were deployed last. */
const tasksOf = (taskManager: FakeTaskManager) => taskManager.deployments.at(-1)!.tasks;
const [source, sink] = [0, 1];

/** Lets the tasks of the n-th deployment run. */
async function run(taskManager: FakeTaskManager, deployment: number): Promise<void> {
  await taskManager.called('deployTasks', deployment);
  for (const task of tasksOf(taskManager)) await taskManager.run(task);
}

/** One task fails, the other is cancelled. */
async function fail(taskManager: FakeTaskManager, message = 'boom'): Promise<void> {
  const [failing, other] = tasksOf(taskManager);
  const cancels = taskManager.count('cancelTasks');
  await taskManager.report(failing!, 'FAILED', { error: { ...boom, message } });
  await taskManager.called('cancelTasks', cancels + 1);
  await taskManager.report(other!, 'CANCELED');
}

async function finish(taskManager: FakeTaskManager, committables: readonly string[] = []) {
  const [first, second] = tasksOf(taskManager);
  await taskManager.report(first!, 'FINISHED');
  await taskManager.report(second!, 'FINISHED', {
    committables: { [operatorId('sink')]: committables },
  });
}

/** The delay of the restart strategy begins to pass when the attempt has ended. */
const pause = async (job: JobMaster, taskManager: FakeTaskManager, frees: number) => {
  await taskManager.called('freeSlot', frees);
  await expect.poll(() => cluster.resources.slots.overview.free).toBe(1);
  await expect.poll(() => cluster.clock.pending).toBeGreaterThan(0);
  expect(job.state).toBe('RESTARTING');
};

async function failAndRestart(job: JobMaster, taskManager: FakeTaskManager, message?: string) {
  const deployments = taskManager.deployments.length;
  await fail(taskManager, message);
  await pause(job, taskManager, deployments);
  await advanceUntil(() => job.state === 'RUNNING');
  await run(taskManager, deployments + 1);
}

/** Timers may be made while promises settle: time passes until it had its effect. */
async function advanceUntil(condition: () => boolean, stepMs: number = delayMs): Promise<void> {
  await expect
    .poll(() => {
      cluster.clock.advance(stepMs);
      return condition();
    })
    .toBe(true);
}

const splitRequest = (taskManager: FakeTaskManager, task: TaskDeployment) => {
  const { jobId, jobAttempt } = taskManager.deployments.find((d) => d.tasks.includes(task))!;
  const { attemptId, subtaskIndex } = task;
  return { jobId, jobAttempt, attemptId, operatorId: operatorId('source'), subtaskIndex };
};

async function nextSplit(taskManager: FakeTaskManager, task: TaskDeployment) {
  const split = await taskManager.connection.call('requestSplit', splitRequest(taskManager, task));
  return split?.['from'];
}

const attemptsOf = (job: JobMaster) =>
  cluster.dispatcher.attempts(job.jobId)!.attempts.map(({ attempt, state }) => [attempt, state]);

describe('a job that failed', () => {
  it('ends its tasks, waits, and starts from the beginning under the next number', async () => {
    const { job, taskManager } = await running();
    expect(await nextSplit(taskManager, tasksOf(taskManager)[source]!)).toBe(0);
    expect(await nextSplit(taskManager, tasksOf(taskManager)[source]!)).toBeUndefined();
    await fail(taskManager);
    await pause(job, taskManager, 1);
    expect(job.view().waitsFor).toBe('starts again in 1.0s');
    await advanceUntil(() => job.state === 'RUNNING');
    await run(taskManager, 2);
    expect(job.view()).toMatchObject({ state: 'RUNNING', attempt: 1, waitsFor: null });
    expect(taskManager.deployments.map((d) => d.jobAttempt)).toEqual([0, 1]);
    expect(tasksOf(taskManager).map((t) => t.attemptId.slice(-2))).toEqual(['_1', '_1']);
    expect(await nextSplit(taskManager, tasksOf(taskManager)[source]!)).toBe(0); // from the beginning
    await finish(taskManager, ['again']);
    expect(await job.ended).toMatchObject({ state: 'FINISHED', error: null });
    expect(job.collected).toEqual({ result: ['again'] });
    expect(job.view().exceptions).toMatchObject([{ failure: { message: 'boom' }, attempt: 0 }]);
    expect(attemptsOf(job)).toEqual([
      [0, 'FAILED'],
      [1, 'FINISHED'],
    ]);
  });

  it('fails for good when its strategy gives up, and keeps why each attempt failed', async () => {
    const { job, taskManager } = await running();
    await failAndRestart(job, taskManager, 'first');
    await failAndRestart(job, taskManager, 'second');
    await fail(taskManager, 'third');
    expect(await job.ended).toMatchObject({ state: 'FAILED', error: { message: 'third' } });
    const { attempt, exceptions, failure } = job.view();
    expect([attempt, failure?.message]).toEqual([2, 'third']);
    expect(exceptions.map((e) => [e.attempt, e.failure.message])).toEqual([
      [0, 'first'],
      [1, 'second'],
      [2, 'third'],
    ]);
    expect(attemptsOf(job).map(([, state]) => state)).toEqual(['FAILED', 'FAILED', 'FAILED']);
  });

  it('does not wait longer when its tasks took their time to end', async () => {
    const { job, taskManager } = await running();
    await taskManager.report(tasksOf(taskManager)[source]!, 'FAILED', { error: boom });
    await taskManager.called('cancelTasks');
    cluster.clock.advance(delayMs); // the delay is over, a task still runs
    expect(job.state).toBe('RESTARTING');
    expect(taskManager.count('allocateSlot')).toBe(1);
    await taskManager.report(tasksOf(taskManager)[sink]!, 'CANCELED');
    await advanceUntil(() => taskManager.count('allocateSlot') === 2);
  });

  it('counts failures while it ends as consequences of the first', async () => {
    cluster = await startFakeCluster({
      restart: { strategy: 'fixed-delay', attempts: 1, delayMs },
    });
    const [first, second] = [
      await cluster.taskManager('taskmanager-0', 1),
      await cluster.taskManager('taskmanager-1', 1),
    ];
    const job = await cluster.submit(pipeline('j', 2));
    await run(first, 1);
    await run(second, 1);
    await first.report(tasksOf(first)[source]!, 'FAILED', { error: boom });
    await first.called('cancelTasks');
    second.connection.close();
    await expect.poll(() => job.view().exceptions).toHaveLength(2);
    await first.report(tasksOf(first)[sink]!, 'CANCELED');
    await advanceUntil(() => job.state === 'RUNNING'); // one attempt is used up, not two
    expect(job.view()).toMatchObject({ attempt: 1, waitsFor: 'waits for 1 of 2 slots; 1 free' });
    expect(job.view().exceptions.map((e) => e.attempt)).toEqual([0, 0]);
  });

  it('keeps the failures of its last 16 attempts', async () => {
    const { job, taskManager } = await running({
      restart: { strategy: 'fixed-delay', attempts: 100, delayMs },
    });
    for (let i = 0; i < 18; i++) await failAndRestart(job, taskManager, `failure ${i}`);
    const { exceptions } = job.view();
    expect(exceptions.map((e) => e.attempt)).toEqual(Array.from({ length: 16 }, (_, i) => i + 2));
    expect(exceptions.at(-1)!.failure.message).toBe('failure 17');
    expect(attemptsOf(job).map(([attempt]) => attempt)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 3), // with the one that runs
    );
  });
});

describe('what fails a job and starts it again', () => {
  it('is the loss of its TaskManager', async () => {
    const { job, taskManager } = await running();
    taskManager.connection.close();
    await expect.poll(() => job.state).toBe('RESTARTING');
    await advanceUntil(() => job.state === 'RUNNING');
    expect(job.view().waitsFor).toBe('waits for 1 of 1 slot; no TaskManager is registered');
    const next = await cluster.taskManager('taskmanager-0', 1, '2');
    await run(next, 1);
    expect(job.view().waitsFor).toBeNull();
    await finish(next);
    expect((await job.ended).state).toBe('FINISHED');
    expect(job.view().exceptions[0]!.failure.message).toMatch(
      /^TaskManager taskmanager-0 was lost/,
    );
  });

  it('is the loss of a slot', async () => {
    const { job, taskManager } = await running();
    const { allocationId, jobAttempt, jobId } = taskManager.deployments[0]!;
    const error = { ...boom, message: 'the slot ran out of memory' };
    await taskManager.connection.call('slotLost', { allocationId, jobId, jobAttempt, error });
    await advanceUntil(() => taskManager.count('deployTasks') === 2);
    expect(job.view().exceptions[0]!.failure.message).toBe('the slot ran out of memory');
    expect(taskManager.deployments[1]!.allocationId).not.toBe(allocationId);
  });

  it('are slots that do not come', async () => {
    const { job, taskManager } = await running();
    taskManager.connection.close();
    await expect.poll(() => job.state).toBe('RESTARTING');
    await advanceUntil(() => job.state === 'RUNNING');
    cluster.clock.advance(timeouts.slotRequest);
    expect(job.state).toBe('RUNNING');
    await expect.poll(() => job.state).toBe('RESTARTING');
    const { exceptions } = job.view();
    expect(exceptions.at(-1)!.failure.message).toContain('no TaskManager is registered');
  });

  it('is an input that is missing when it starts again, but not when it starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fctl-restart-'));
    try {
      const path = join(folder, 'input.csv');
      const files = vertex('files', 1, {
        operators: [
          operator('files', { enumerator: { kind: 'files', options: { path, format: 'lines' } } }),
        ],
      });
      cluster = await startFakeCluster({
        restart: { strategy: 'fixed-delay', attempts: 1000, delayMs },
      });
      const early = await cluster.submit(graph('early', [files]));
      expect((await early.ended).state).toBe('FAILED');
      expect(early.view().attempt).toBe(0);
      await writeFile(path, 'a\n');
      const taskManager = await cluster.taskManager('taskmanager-0', 1);
      const job = await cluster.submit(graph('job', [files]));
      await run(taskManager, 1);
      await rm(path);
      await taskManager.report(tasksOf(taskManager)[0]!, 'FAILED', { error: boom });
      await advanceUntil(() => job.view().exceptions.length > 1);
      expect(job.view().exceptions[1]!.failure.message).toContain(path);
      expect(taskManager.count('deployTasks')).toBe(1);
      await writeFile(path, 'a\n');
      await advanceUntil(() => taskManager.count('deployTasks') === 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is not a failure to publish: some of it may be public (J6)', async () => {
    const failing = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      commit: () => Promise.reject(new Error('disk full')),
      close: () => made.close(),
    });
    const { job, taskManager } = await running({ coordinators: failing });
    await finish(taskManager);
    expect(await job.ended).toMatchObject({ state: 'FAILED', error: { message: 'disk full' } });
    expect(job.view().attempt).toBe(0);
  });

  it('is not an attempt whose sources and sinks do not close: it could undo what the next one does', async () => {
    const hanging = (made: Coordinators): Coordinators => ({
      start: () => made.start(),
      nextSplit: (id, request) => made.nextSplit(id, request),
      commit: (committables) => made.commit(committables),
      close: () => new Promise(() => {}),
    });
    const { job, taskManager } = await running({ coordinators: hanging });
    await fail(taskManager);
    await pause(job, taskManager, 1);
    await expect
      .poll(() => {
        cluster.clock.advance(timeouts.cancellation);
        return job.state;
      })
      .toBe('FAILED');
    expect(await job.ended).toMatchObject({ error: { message: 'boom' } });
  });
});

describe('an attempt that is over', () => {
  it('reports nothing, gets nothing and publishes nothing any more', async () => {
    const { job, taskManager } = await running();
    const old = taskManager.deployments[0]!;
    await failAndRestart(job, taskManager);
    const stale = expect.objectContaining({ code: 'stale' });
    const [oldSource, oldSink] = old.tasks;
    const committables = { [operatorId('sink')]: ['of the lost attempt'] };
    await expect(taskManager.report(oldSink!, 'FINISHED', { committables })).rejects.toEqual(stale);
    await expect(taskManager.report(oldSource!, 'FAILED', { error: boom })).rejects.toEqual(stale);
    await expect(nextSplit(taskManager, oldSource!)).rejects.toEqual(stale);
    const { allocationId, jobId } = old;
    const loss = { allocationId, jobId, jobAttempt: 0, error: boom };
    await expect(taskManager.connection.call('slotLost', loss)).rejects.toEqual(stale);
    // Nor does it help to claim the number of the attempt that runs.
    const claim = { ...splitRequest(taskManager, oldSource!), jobAttempt: 1 };
    await expect(taskManager.connection.call('requestSplit', claim)).rejects.toEqual(stale);
    expect(job.view()).toMatchObject({ state: 'RUNNING', tasks: { RUNNING: 2 } });
    await finish(taskManager, ['of the next']);
    await job.ended;
    expect(job.collected).toEqual({ result: ['of the next'] });
  });

  it('leaves no prepared output behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fctl-restart-'));
    try {
      cluster = await startFakeCluster(twice);
      const taskManager = await cluster.taskManager('taskmanager-0', 1);
      const sinkOfJob = FileSink.text(folder);
      const files = vertex('files', 1, {
        operators: [operator('files', { kind: 'sink', committer: sinkOfJob.committer })],
      });
      const job = await cluster.submit(graph('j', [files]));
      const { jobId } = job;
      await run(taskManager, 1);
      await prepare(sinkOfJob, { jobId, epoch: epochOf(taskManager), attempt: 0 });
      expect(await readdir(folder)).toHaveLength(1);
      taskManager.connection.close();
      await expect.poll(() => readdir(folder)).toEqual([]);
      expect(job.state).toBe('RESTARTING');
      await advanceUntil(() => job.state === 'RUNNING');
      const next = await cluster.taskManager('taskmanager-0', 1, '2');
      await run(next, 1);
      const committables = await prepare(sinkOfJob, { jobId, epoch: epochOf(next), attempt: 1 });
      await next.report(tasksOf(next)[0]!, 'FINISHED', {
        committables: { [operatorId('files')]: committables },
      });
      expect((await job.ended).state).toBe('FINISHED');
      expect(await readdir(folder)).toEqual(['part-0.txt']);
      expect(await readFile(join(folder, 'part-0.txt'), 'utf8')).toBe('attempt 1\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  /** As the slot was told. */
  const epochOf = (taskManager: FakeTaskManager): number =>
    (taskManager.calls.find(({ method }) => method === 'allocateSlot')!.argument as SlotAllocation)
      .epoch;

  /** What a task of that attempt does. */
  async function prepare(
    sinkOfJob: Sink<string>,
    of: { jobId: string; epoch: number; attempt: number },
  ) {
    const writer = sinkOfJob.createWriter({
      ...of,
      subtaskIndex: 0,
      parallelism: 1,
      workingDirectory: '/',
      stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
    });
    await writer.open();
    writer.write(`attempt ${of.attempt}`, 0);
    return writer.finish();
  }

  it('makes no failure of the next one: its lost connection is forgotten (J5)', async () => {
    const { job, taskManager } = await running({
      restart: { strategy: 'fixed-delay', attempts: 2, delayMs: 1 },
    });
    const lost = 'the data connection to taskmanager-1 is lost: read ECONNRESET';
    const [failing, other] = tasksOf(taskManager);
    await taskManager.report(failing!, 'FAILED', { error: { ...boom, message: lost } });
    await taskManager.report(other!, 'FAILED', { error: boom }); // the better reason
    await pause(job, taskManager, 1);
    await advanceUntil(() => job.state === 'RUNNING', 1);
    await run(taskManager, 2);
    cluster.clock.advance(10_000); // only now the first attempt's wait for a reason is over
    expect(job.view()).toMatchObject({ state: 'RUNNING', attempt: 1 });
  });
});

describe('cancelling a job that is to start again', () => {
  it('while its tasks end', async () => {
    const { job, taskManager } = await running();
    await taskManager.report(tasksOf(taskManager)[source]!, 'FAILED', { error: boom });
    await taskManager.called('cancelTasks');
    expect(job.state).toBe('RESTARTING');
    expect(job.cancel()).toBe(true);
    expect(job.state).toBe('CANCELLING');
    await taskManager.report(tasksOf(taskManager)[sink]!, 'CANCELED');
    expect(await job.ended).toMatchObject({ state: 'CANCELED', error: null });
  });

  it('while it waits, and nothing starts later', async () => {
    const { job, taskManager } = await running();
    await fail(taskManager);
    await pause(job, taskManager, 1);
    expect(job.cancel()).toBe(true);
    expect(await job.ended).toMatchObject({ state: 'CANCELED', error: null });
    cluster.clock.advance(10 * delayMs);
    expect(taskManager.count('allocateSlot')).toBe(1);
  });

  it('while it waits for slots', async () => {
    const { job, taskManager } = await running();
    taskManager.connection.close();
    await expect.poll(() => job.state).toBe('RESTARTING');
    await advanceUntil(() => job.state === 'RUNNING');
    job.cancel();
    expect((await job.ended).state).toBe('CANCELED');
    const next = await cluster.taskManager('taskmanager-0', 1, '2');
    await next.answered();
    expect(next.count('allocateSlot')).toBe(0);
    expect(cluster.resources.slots.overview.free).toBe(1);
  });
});

describe('a job that another JobManager ran before', () => {
  it('has its slots, waits for its turn, and opens sources and sinks only then', async () => {
    cluster = await startFakeCluster();
    const taskManager = await cluster.taskManager('taskmanager-0', 1);
    const throttle = new RestartThrottle(1, cluster.clock);
    const other = throttle.enter();
    const graphOfJob = pipeline('j', 1);
    let started = 0;
    let id = 0;
    const job = new JobMaster({
      jobId: 'a'.repeat(32),
      graph: graphOfJob,
      firstAttempt: 3,
      submission: 0,
      createCoordinators: () => {
        const made = createCoordinators(graphOfJob, {
          jobId: 'a'.repeat(32),
          epoch: 1,
          workingDirectory: '/',
        });
        return {
          start: () => {
            started++;
            return made.start();
          },
          nextSplit: (id, request) => made.nextSplit(id, request),
          commit: (committables) => made.commit(committables),
          close: () => made.close(),
        };
      },
      workingDirectory: '/',
      slots: cluster.resources,
      network: {
        bufferTimeoutMs: 0,
        bufferSizeBytes: 1024,
        channelCreditBytes: 1024,
        maxFrameBytes: 1024,
      },
      slotRequestTimeoutMs: timeouts.slotRequest,
      cancellationTimeoutMs: timeouts.cancellation,
      restartStrategy: createRestartStrategy(
        { strategy: 'none' },
        { now: () => 0, random: () => 0 },
      ),
      restartThrottle: throttle,
      recordRestart: () => Promise.reject(new Error('the journal has this attempt already')),
      redactor: { values: [] },
      newId: () => (id++).toString(16).padStart(32, '0'),
      checkLeadership: async () => {},
      logger: silentLogger,
      clock: cluster.clock,
    });
    expect(job.state).toBe('RUNNING');
    await expect.poll(() => job.view().waitsFor).toMatch(/^waits for its turn to start again/);
    expect(cluster.resources.slots.overview.free).toBe(0);
    expect([started, taskManager.count('allocateSlot')]).toEqual([0, 0]);
    other.leave();
    await taskManager.called('deployTasks');
    expect(started).toBe(1);
    expect(taskManager.deployments[0]!.jobAttempt).toBe(3);
    job.cancel();
    await taskManager.called('cancelTasks');
    cluster.clock.advance(timeouts.cancellation);
    expect((await job.ended).state).toBe('CANCELED');
  });
});

describe('an attempt that cannot be recorded (J7)', () => {
  it('does not begin, and is a failure like any other', async () => {
    const record = new MemoryRecord();
    const { job, taskManager } = await running({
      record,
      restart: { strategy: 'fixed-delay', attempts: 1000, delayMs },
    });
    const write = record.write.bind(record);
    record.write = () => Promise.reject(new Error('the disk is full'));
    await fail(taskManager);
    await pause(job, taskManager, 1);
    await advanceUntil(() => job.view().exceptions.length > 1);
    expect(job.view().exceptions[1]!.failure.message).toBe('the disk is full');
    expect(taskManager.count('allocateSlot')).toBe(1);
    record.write = write;
    await advanceUntil(() => taskManager.count('deployTasks') === 2);
  });
});
