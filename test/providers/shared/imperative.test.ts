/** How the steps of a plan are taken: at the same time, to their end, and not after somebody gave up. */
import { expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import type { Action, Plan } from '../../../src/contract/plan.ts';
import { type ProcessSpec, Role } from '../../../src/contract/process-spec.ts';
import { carryOut } from '../../../src/providers/shared/imperative.ts';

const spec = { role: Role.taskmanager } as unknown as ProcessSpec;

const actions = (count: number): Action[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'create',
    process: `taskmanager-${index}`,
    role: Role.taskmanager,
    index,
    reason: 'the test',
    causes: [],
    endsProcess: false,
    spec,
  }));

const planOf = (all: readonly Action[]): Plan => ({
  clusterId: demo,
  release: 'r',
  previousRelease: null,
  leader: null,
  actions: all,
  config: [],
  changes: true,
  restartsApplication: false,
  restore: [],
  stateLoss: [],
});

/** Starts wait until they are let go, in the order in which they began. */
class Gate {
  readonly begun: string[] = [];
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  async start({ process }: Action): Promise<void> {
    this.begun.push(process);
    const gate = Promise.withResolvers<void>();
    this.#waiting.push(gate);
    await gate.promise;
  }

  async open(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.#waiting[index]!.resolve();
    else this.#waiting[index]!.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function begin(count: number, atOnce: number, signal = new AbortController().signal) {
  const gate = new Gate();
  const told: string[] = [];
  let outcome = 'under way';
  const done = carryOut(
    planOf(actions(count)),
    { start: (action) => gate.start(action), stop: async () => {} },
    {
      fence: 1,
      signal,
      onStep: ({ process }) => told.push(process),
      onJobManagersEnded: async () => {},
    },
    atOnce,
  );
  done.then(
    () => (outcome = 'done'),
    (error: Error) => (outcome = error.message),
  );
  return { gate, told, outcome: () => outcome, done };
}

it('I3: takes so many at the same time, and the next one when one is done', async () => {
  const { done, gate, outcome, told } = begin(4, 2);
  expect(gate.begun).toEqual(['taskmanager-0', 'taskmanager-1']);
  await gate.open(1);
  expect(gate.begun).toEqual(['taskmanager-0', 'taskmanager-1', 'taskmanager-2']);
  await gate.open(0);
  await gate.open(2);
  expect(outcome()).toBe('under way');
  await gate.open(3);
  await done;
  expect(told).toEqual(gate.begun);
});

it('I3: begins no more after one failed, and ends when all that had begun have ended', async () => {
  const { done, gate, outcome } = begin(4, 2);
  await gate.open(0, new Error('no memory'));
  expect(gate.begun).toHaveLength(2);
  expect(outcome()).toBe('under way');
  await gate.open(1, new Error('came later'));
  await expect(done).rejects.toThrow('no memory');
  expect(gate.begun).toHaveLength(2);
});

it('begins nothing after it was given up', async () => {
  const controller = new AbortController();
  const { done, gate, told } = begin(4, 1, controller.signal);
  controller.abort(new Error('given up'));
  await gate.open(0);
  await expect(done).rejects.toThrow('given up');
  expect(told).toEqual(['taskmanager-0']);
});

it('tells an action once that ends one process and starts another', async () => {
  const told: string[] = [];
  const done: string[] = [];
  const replaced = actions(1).map((action) => ({ ...action, endsProcess: true }));
  await carryOut(
    planOf(replaced),
    {
      start: async () => void done.push('start'),
      stop: async () => void done.push('stop'),
    },
    {
      fence: 1,
      signal: new AbortController().signal,
      onStep: ({ process }) => told.push(process),
      onJobManagersEnded: async () => void done.push('job managers have ended'),
    },
  );
  expect(done).toEqual(['stop', 'start']);
  expect(told).toEqual(['taskmanager-0']);
});
