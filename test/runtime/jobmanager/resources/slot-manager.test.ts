import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadBalanceMode } from '../../../../src/contract/runtime-config.ts';
import {
  describeMissingSlots,
  describeSlotWait,
  type SlotGrant,
  SlotManager,
} from '../../../../src/runtime/jobmanager/resources/slot-manager.ts';

type TaskManagers = readonly (readonly [id: string, slots: number])[];

function createWith(mode: LoadBalanceMode, taskManagers: TaskManagers) {
  let next = 0;
  const manager = new SlotManager(() => `a${next++}`, mode);
  for (const [id, slots] of taskManagers) manager.addTaskManager(id, slots);
  return manager;
}

const create = (...taskManagers: TaskManagers) => createWith('slots', taskManagers);

let submissions = 0;

function request(
  manager: SlotManager,
  jobId: string,
  count: number,
  submission: number = submissions++,
) {
  const state: { grants: readonly SlotGrant[] | null; withdraw: () => void } = {
    grants: null,
    withdraw: () => {},
  };
  state.withdraw = manager.request({
    jobId,
    jobName: jobId,
    submission,
    count,
    granted: (grants) => {
      expect(state.grants).toBeNull(); // once
      state.grants = grants;
    },
  });
  return state;
}

const tally = (grants: readonly SlotGrant[] | null) => {
  const counts: Record<string, number> = {};
  for (const { taskManagerId } of grants ?? [])
    counts[taskManagerId] = (counts[taskManagerId] ?? 0) + 1;
  return counts;
};

describe('slots', () => {
  it('are spread evenly (S4)', () => {
    const manager = create(['a', 4], ['b', 4]);
    expect(tally(request(manager, 'j', 4).grants)).toEqual({ a: 2, b: 2 });
    expect(tally(request(manager, 'k', 2).grants)).toEqual({ a: 1, b: 1 });
  });

  it('are spread by the part in use, not by the number', () => {
    const manager = create(['large', 6], ['small', 2]);
    expect(tally(request(manager, 'j', 4).grants)).toEqual({ large: 3, small: 1 });
  });

  it('fill one TaskManager after the other (S4)', () => {
    const manager = createWith('none', [
      ['a', 2],
      ['b', 2],
      ['c', 2],
    ]);
    const first = request(manager, 'j', 3);
    expect(tally(first.grants)).toEqual({ a: 2, b: 1 });
    expect(tally(request(manager, 'k', 1).grants)).toEqual({ b: 1 });
    manager.release(first.grants!.find((g) => g.taskManagerId === 'a')!.allocationId);
    expect(tally(request(manager, 'l', 2).grants)).toEqual({ a: 1, c: 1 }); // not an empty one first
  });

  it('are waited for until enough are there (S2)', () => {
    const manager = create(['a', 1]);
    const job = request(manager, 'j', 3);
    manager.addTaskManager('b', 1);
    expect(job.grants).toBeNull();
    expect(manager.overview).toEqual({ taskManagers: 2, total: 2, free: 2 });
    manager.addTaskManager('c', 1);
    expect(tally(job.grants)).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('go to the first that asked, also when a later one would fit (S3)', () => {
    const manager = create(['a', 2]);
    const first = request(manager, 'first', 2);
    const wide = request(manager, 'wide', 2);
    const narrow = request(manager, 'narrow', 1);
    manager.release(first.grants![0]!.allocationId);
    expect([wide.grants, narrow.grants]).toEqual([null, null]);
    manager.release(first.grants![1]!.allocationId);
    expect(wide.grants).toHaveLength(2);
    expect(narrow.grants).toBeNull();
  });

  it('go to the next when the first gives up', () => {
    const manager = create(['a', 1]);
    const wide = request(manager, 'wide', 2);
    const narrow = request(manager, 'narrow', 1);
    wide.withdraw();
    expect(narrow.grants).toHaveLength(1);
    expect(wide.grants).toBeNull();
  });

  it('go to the job that was submitted first, also when it asks again (S3)', () => {
    const manager = create(['a', 2]);
    const old = request(manager, 'old', 2, 1);
    const running = old.grants!;
    const young = request(manager, 'young', 1, 2);
    const youngest = request(manager, 'youngest', 1, 3);
    const again = request(manager, 'old', 2, 1); // before its slots are back
    for (const { allocationId } of running) manager.release(allocationId);
    expect(again.grants).toHaveLength(2);
    expect([young.grants, youngest.grants]).toEqual([null, null]);
    for (const { allocationId } of again.grants!) manager.release(allocationId);
    expect([young.grants, youngest.grants]).toMatchObject([[{}], [{}]]);
  });

  it('of two jobs that need more together than there is go to one, then to the other (S2)', () => {
    const manager = create(['a', 3]);
    const jobs = ['x', 'y'].map((id) => request(manager, id, 2));
    expect(jobs.map(({ grants }) => grants?.length)).toEqual([2, undefined]);
    expect(manager.overview.free).toBe(1); // held by nobody
    manager.release(jobs[0]!.grants![0]!.allocationId);
    expect(jobs[1]!.grants).toHaveLength(2);
  });

  it('are not given back by withdrawing what was granted', () => {
    const manager = create(['a', 1]);
    request(manager, 'j', 1).withdraw();
    expect(manager.overview.free).toBe(0);
  });

  it('are gone with their TaskManager', () => {
    const manager = create(['a', 1], ['b', 1]);
    const job = request(manager, 'j', 2);
    const lost = manager.removeTaskManager('a');
    expect(lost.map(({ jobId }) => jobId)).toEqual(['j']);
    manager.release(lost[0]!.allocationId);
    expect(manager.overview).toEqual({ taskManagers: 1, total: 1, free: 0 });
    manager.release(job.grants!.find((g) => g.taskManagerId === 'b')!.allocationId);
    expect(manager.overview.free).toBe(1);
  });
});

type Step =
  | { readonly do: 'add'; readonly slots: number }
  | { readonly do: 'remove' | 'release' | 'withdraw'; readonly pick: number }
  | { readonly do: 'request'; readonly count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), slots: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constantFrom('remove' as const, 'release' as const, 'withdraw' as const),
    pick: fc.nat(50),
  }),
  fc.record({ do: fc.constant('request' as const), count: fc.integer({ min: 1, max: 6 }) }),
);

/** The slots that are in use according to what was granted, released and removed. */
class Model {
  readonly taskManagers = new Map<string, number>();
  readonly held = new Map<string, SlotGrant>();
  readonly waiting: { count: number; id: number; withdraw: () => void }[] = [];
  readonly grantedOrder: number[] = [];

  get free(): number {
    const total = [...this.taskManagers.values()].reduce((a, b) => a + b, 0);
    return total - this.held.size;
  }
}

function apply(manager: SlotManager, model: Model, action: Step, serial: number): void {
  const pickOf = <T>(items: readonly T[], pick: number) => items[pick % Math.max(items.length, 1)];
  if (action.do === 'add') {
    model.taskManagers.set(`t${serial}`, action.slots);
    manager.addTaskManager(`t${serial}`, action.slots);
  } else if (action.do === 'request') {
    const entry = { count: action.count, id: serial, withdraw: () => {} };
    model.waiting.push(entry);
    entry.withdraw = manager.request({
      jobId: `j${serial}`,
      jobName: `j${serial}`,
      submission: serial,
      count: action.count,
      granted: (grants) => {
        expect(grants).toHaveLength(action.count); // S2
        for (const grant of grants) {
          const taken = [...model.held.values()].some(
            (g) => g.taskManagerId === grant.taskManagerId && g.slotIndex === grant.slotIndex,
          );
          expect(taken).toBe(false); // S1
          expect(grant.slotIndex).toBeLessThan(model.taskManagers.get(grant.taskManagerId)!);
          model.held.set(grant.allocationId, grant);
        }
        expect(model.waiting.shift()!.id).toBe(serial); // S3
      },
    });
  } else if (action.do === 'remove') {
    const id = pickOf([...model.taskManagers.keys()], action.pick);
    if (id === undefined) return;
    model.taskManagers.delete(id);
    for (const [key, grant] of model.held) if (grant.taskManagerId === id) model.held.delete(key);
    manager.removeTaskManager(id);
  } else if (action.do === 'release') {
    const id = pickOf([...model.held.keys()], action.pick);
    if (id === undefined) return;
    model.held.delete(id);
    manager.release(id);
  } else {
    const entry = pickOf(model.waiting, action.pick);
    if (entry === undefined) return;
    model.waiting.splice(model.waiting.indexOf(entry), 1);
    entry.withdraw();
  }
}

describe('whatever happens', () => {
  it('no slot is given twice, and nobody waits for what is free', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const manager = create();
        const model = new Model();
        steps.forEach((action, serial) => {
          apply(manager, model, action, serial);
          expect(manager.overview.free).toBe(model.free);
          const [first] = model.waiting;
          if (first) expect(first.count).toBeGreaterThan(model.free);
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is missing', () => {
  it('is said exactly', () => {
    expect(describeMissingSlots('j', 4, { taskManagers: 2, total: 2, free: 2 })).toBe(
      "job 'j' needs 4 slots, 2 TaskManagers offer 2; raise taskmanager.replicas or taskmanager.slots, or lower application.parallelism",
    );
    expect(describeMissingSlots('j', 1, { taskManagers: 0, total: 0, free: 0 })).toContain(
      'needs 1 slot, no TaskManager is registered;',
    );
    expect(describeMissingSlots('j', 2, { taskManagers: 1, total: 2, free: 1 })).toContain(
      '1 TaskManager offers 2, of which 1 is used by other jobs;',
    );
  });
});

describe('why a job waits', () => {
  const wait = (manager: SlotManager, jobId: string) => {
    const found = manager.waitOf(jobId);
    return found && describeSlotWait(found);
  };

  it('is said with what is missing, what is free and who comes first', () => {
    const manager = create(['a', 3]);
    const running = request(manager, 'running', 2);
    request(manager, 'wide', 4);
    request(manager, 'narrow', 1);
    request(manager, 'last', 2);
    expect(wait(manager, 'running')).toBeNull();
    expect(wait(manager, 'wide')).toBe('waits for 3 of 4 slots; 1 free');
    expect(wait(manager, 'narrow')).toBe(
      "waits for its turn to get 1 slot; 1 free; queued behind job 'wide'",
    );
    expect(wait(manager, 'last')).toBe(
      "waits for 1 of 2 slots; 1 free; queued behind job 'wide' and 1 more",
    );
    manager.release(running.grants![0]!.allocationId);
    expect(wait(manager, 'wide')).toBe('waits for 2 of 4 slots; 2 free');
  });

  it('is said without TaskManagers, too', () => {
    const manager = create();
    const job = request(manager, 'j', 1);
    expect(wait(manager, 'j')).toBe('waits for 1 of 1 slot; no TaskManager is registered');
    job.withdraw();
    expect(wait(manager, 'j')).toBeNull();
  });
});
