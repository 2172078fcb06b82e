import { afterEach, describe, expect, it } from 'vitest';
import type { SlotAllocation, SlotLocation } from '../../../../src/runtime/rpc/protocol.ts';
import type { JobMaster } from '../../../../src/runtime/jobmanager/scheduler/job-master.ts';
import { Turns } from '../../../../src/runtime/jobmanager/resources/turns.ts';
import { type FakeCluster, startFakeCluster, timeouts } from '../fake-cluster.ts';
import type { FakeTaskManager } from '../fake-task-manager.ts';
import { pipeline } from '../graphs.ts';

const jobs = 20;
/** Of a TaskManager with one core. */
const atATime = 2;

let cluster: FakeCluster | null = null;

afterEach(() => cluster?.close());

interface Making {
  readonly request: SlotAllocation;
  readonly listens: () => void;
}

/** A TaskManager whose slots listen when the test says so; `making` are those that do not yet. */
async function slowTaskManager(name: string, slots: number) {
  const taskManager = await cluster!.taskManager(name, slots);
  const making: Making[] = [];
  taskManager.behaviour.allocateSlot = (request) =>
    new Promise<SlotLocation>((resolve) => {
      const { allocationId, slotIndex } = request;
      const location = { host: '127.0.0.1', dataPort: 1000 + slotIndex };
      const listens = () => {
        resolve({ allocationId, taskManager: taskManager.id, ...location });
      };
      making.push({ request, listens });
    });
  return { taskManager, making };
}

async function submit(count: number): Promise<JobMaster[]> {
  const masters: JobMaster[] = [];
  for (let i = 0; i < count; i++) masters.push(await cluster!.submit(pipeline(`job ${i}`, 1)));
  return masters;
}

const settled = async (taskManager: FakeTaskManager) => {
  for (let i = 0; i < 5; i++) await taskManager.answered();
};

describe('slots of many jobs that are submitted at once', () => {
  it('are made as many at a time as a TaskManager has cores, in their order', async () => {
    cluster = await startFakeCluster();
    const { taskManager, making } = await slowTaskManager('taskmanager-0', jobs);
    const masters = await submit(jobs);
    for (let made = 0; made < jobs; made++) {
      await taskManager.called('allocateSlot', Math.min(jobs, made + atATime));
      await settled(taskManager); // more would come now
      expect(making.length).toBe(Math.min(jobs - made, atATime));
      expect(making[0]!.request.jobId).toBe(masters[made]!.jobId);
      making.shift()!.listens();
    }
    await taskManager.called('deployTasks', jobs);
  });

  it('do not time out while they wait for their turn', async () => {
    cluster = await startFakeCluster();
    const { taskManager, making } = await slowTaskManager('taskmanager-0', jobs);
    const masters = await submit(jobs);
    for (let made = 0; made < jobs; made += atATime) {
      await taskManager.called('allocateSlot', made + atATime);
      cluster.clock.advance(timeouts.call - 1);
      making.splice(0).forEach(({ listens }) => listens());
      await taskManager.called('deployTasks', made + atATime);
    }
    expect(masters.map(({ state }) => state)).toEqual(masters.map(() => 'RUNNING'));
  });

  it('are not made any more when their job was cancelled meanwhile', async () => {
    cluster = await startFakeCluster();
    const { taskManager, making } = await slowTaskManager('taskmanager-0', 4);
    const masters = await submit(4);
    await taskManager.called('allocateSlot', atATime);
    masters[2]!.cancel();
    expect((await masters[2]!.ended).state).toBe('CANCELED');
    making.splice(0).forEach(({ listens }) => listens());
    await taskManager.called('allocateSlot', atATime + 1);
    making.shift()!.listens();
    await taskManager.called('deployTasks', 3);
    const made = taskManager.calls
      .filter(({ method }) => method === 'allocateSlot')
      .map(({ argument }) => (argument as SlotAllocation).jobId);
    expect(made).toEqual([0, 1, 3].map((index) => masters[index]!.jobId));
  });

  it('of one TaskManager do not wait for those of another', async () => {
    cluster = await startFakeCluster();
    const slow = await slowTaskManager('taskmanager-0', 4);
    await submit(8);
    await slow.taskManager.called('allocateSlot', atATime);
    const quick = await cluster.taskManager('taskmanager-1', 4);
    await quick.called('deployTasks', 4);
    expect(slow.making.length).toBe(atATime);
  });
});

describe('turns', () => {
  it('end with their work, also when it fails', async () => {
    const turns = new Turns(1);
    const failed = turns.run(() => Promise.reject(new Error('no file')));
    const next = turns.run(async () => 'next');
    await expect(failed).rejects.toThrow('no file');
    expect(await next).toBe('next');
    expect(await turns.run(async () => 'later')).toBe('later');
  });
});
