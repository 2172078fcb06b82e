import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allExecutionStates,
  Execution,
} from '../../../../src/runtime/jobmanager/scheduler/execution.ts';
import { createJobStateMachine } from '../../../../src/runtime/jobmanager/scheduler/job-status.ts';
import {
  aggregateState,
  createJobView,
} from '../../../../src/runtime/jobmanager/views/job-view.ts';
import type { ExecutionState } from '../../../../src/runtime/rpc/protocol.ts';
import { graph, vertex } from '../graphs.ts';

const counts = (...states: ExecutionState[]) =>
  Object.fromEntries(
    allExecutionStates.map((state) => [state, states.filter((s) => s === state).length]),
  ) as Record<ExecutionState, number>;
const aggregate = (...states: ExecutionState[]) => aggregateState(counts(...states), states.length);

describe('the state of a vertex', () => {
  it('is the worst of its subtasks, as Flink has it', () => {
    expect(aggregate('RUNNING', 'FAILED', 'CANCELING')).toBe('FAILED');
    expect(aggregate('RUNNING', 'CANCELING', 'CANCELED')).toBe('CANCELING');
    expect(aggregate('FINISHED', 'CANCELED')).toBe('CANCELED');
    expect(aggregate('RUNNING', 'INITIALIZING')).toBe('INITIALIZING');
    expect(aggregate('FINISHED', 'RUNNING')).toBe('RUNNING');
    expect(aggregate('FINISHED', 'DEPLOYING')).toBe('RUNNING');
    expect(aggregate('FINISHED', 'FINISHED')).toBe('FINISHED');
    expect(aggregate('SCHEDULED', 'DEPLOYING')).toBe('CREATED');
  });

  it('is FINISHED only when all subtasks are', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...allExecutionStates), { minLength: 1 }), (states) => {
        const all = states.every((state) => state === 'FINISHED');
        expect(aggregate(...states) === 'FINISHED').toBe(all);
      }),
    );
  });
});

describe('a snapshot', () => {
  const source = vertex('source', 2);
  const create = (now: () => number) =>
    [0, 1].map((subtaskIndex) => {
      const attemptId = `x${subtaskIndex}_0`;
      return new Execution({ vertex: source, subtaskIndex, attempt: 0, attemptId, now });
    });
  const view = (executions: readonly Execution[], now: number) =>
    createJobView({
      id: 'j',
      graph: graph('j', [source]),
      attempt: 0,
      startTime: 100,
      machine: createJobStateMachine(() => 100),
      executions,
      failure: null,
      exceptions: [],
      waitsFor: null,
      restartStrategy: 'Restart deactivated.',
      now,
    });

  it('has the times of its subtasks', () => {
    let now = 100;
    const [first, second] = create(() => now) as [Execution, Execution];
    expect(view([first, second], 150).vertices[0]).toMatchObject({
      startTime: -1,
      endTime: -1,
      duration: -1,
    });
    for (const [execution, at] of [
      [second, 200],
      [first, 220],
    ] as const) {
      now = at;
      execution.enter('SCHEDULED');
      execution.enter('DEPLOYING');
    }
    now = 300;
    first.enter('FINISHED');
    expect(view([first, second], 350).vertices[0]).toMatchObject({
      startTime: 200,
      endTime: -1,
      duration: 150,
    });
    now = 400;
    second.enter('FINISHED');
    const snapshot = view([first, second], 500);
    expect(snapshot.vertices[0]).toMatchObject({ startTime: 200, endTime: 400, duration: 200 });
    expect(snapshot.vertices[0]!.subtasks).toMatchObject([
      { startTime: 220, endTime: 300, duration: 80 },
      { startTime: 200, endTime: 400, duration: 200 },
    ]);
    expect(snapshot).toMatchObject({
      startTime: 100,
      endTime: -1,
      duration: 400,
      lastModification: 400,
    });
  });

  it('sums metrics and accumulators; its watermark is the lowest, and none while a subtask has none', () => {
    const [first, second] = create(() => 1) as [Execution, Execution];
    first.metrics = { ...first.metrics, recordsOut: 3, busyMs: 5, watermark: 70 };
    first.accumulators = { seen: 1, only: 2 };
    second.metrics = { ...second.metrics, recordsOut: 4 };
    second.accumulators = { seen: 10 };
    expect(view([first, second], 1).vertices[0]!.metrics).toMatchObject({
      recordsOut: 7,
      busyMs: 5,
      watermark: null,
    });
    second.metrics = { ...second.metrics, watermark: 50 };
    expect(view([first, second], 1).vertices[0]!.metrics.watermark).toBe(50);
    expect(view([first, second], 1).accumulators).toEqual({ seen: 11, only: 2 });
  });
});
