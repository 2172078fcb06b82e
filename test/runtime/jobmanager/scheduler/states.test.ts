import { describe, expect, it } from 'vitest';
import {
  allExecutionStates,
  Execution,
  executionTransitions,
  isTerminalExecutionState,
} from '../../../../src/runtime/jobmanager/scheduler/execution.ts';
import {
  allJobStatuses,
  createJobStateMachine,
  isTerminalJobStatus,
  type JobStatus,
  jobTransitions,
} from '../../../../src/runtime/jobmanager/scheduler/job-status.ts';
import {
  createStateMachine,
  IllegalTransitionError,
} from '../../../../src/runtime/jobmanager/scheduler/state-machine.ts';
import type { ExecutionState } from '../../../../src/runtime/rpc/protocol.ts';
import { vertex } from '../graphs.ts';

/** From the first state to `state`, along legal transitions. */
function pathTo<S extends string>(
  table: Readonly<Record<S, readonly S[]>>,
  initial: S,
  state: S,
): S[] | null {
  const paths: S[][] = [[]];
  const seen = new Set([initial]);
  for (let path = paths.shift(); path; path = paths.shift()) {
    const at = path.at(-1) ?? initial;
    if (at === state) return path;
    for (const next of table[at]) {
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return null;
}

describe('the states of a job', () => {
  it.each(allJobStatuses)('from %s only what the table allows', (from) => {
    const path = pathTo(jobTransitions, 'INITIALIZING' as JobStatus, from);
    if (path === null) return expect(jobTransitions[from]).toEqual([]); // not entered by anybody yet
    for (const to of allJobStatuses) {
      const machine = createJobStateMachine(() => 1);
      for (const state of path) machine.enter(state);
      const enter = () => machine.enter(to);
      if (jobTransitions[from].includes(to)) expect(enter).not.toThrow();
      else expect(enter).toThrow(IllegalTransitionError);
      expect(machine.state).toBe(jobTransitions[from].includes(to) ? to : from);
    }
  });

  it('end exactly where nothing follows', () => {
    for (const state of ['FINISHED', 'FAILED', 'CANCELED'] as const) {
      expect(isTerminalJobStatus(state)).toBe(true);
      expect(jobTransitions[state]).toEqual([]);
    }
    const others = allJobStatuses.filter((s) => jobTransitions[s].length > 0);
    for (const state of others) expect(isTerminalJobStatus(state)).toBe(false);
  });

  it('can all fail and be cancelled before they end', () => {
    for (const state of ['INITIALIZING', 'CREATED', 'RUNNING'] as const) {
      expect(jobTransitions[state]).toContain('FAILING');
      expect(jobTransitions[state]).toContain('CANCELLING');
    }
  });

  it('remember when they were entered', () => {
    let now = 10;
    const machine = createJobStateMachine(() => now);
    now = 20;
    machine.enter('CREATED');
    expect(machine.timestamps).toMatchObject({ INITIALIZING: 10, CREATED: 20, RUNNING: 0 });
    expect(machine.lastModification).toBe(20);
  });
});

describe('the states of an execution', () => {
  const create = () =>
    new Execution({
      vertex: vertex('a', 1),
      subtaskIndex: 0,
      attempt: 0,
      attemptId: 'x_0',
      now: () => 5,
    });
  const at = (state: ExecutionState) => {
    const execution = create();
    for (const next of pathTo(executionTransitions, 'CREATED' as ExecutionState, state)!)
      execution.enter(next);
    return execution;
  };

  it.each(allExecutionStates)('from %s only what the table allows', (from) => {
    for (const to of allExecutionStates) {
      const machine = createStateMachine(
        'task',
        executionTransitions,
        'CREATED' as ExecutionState,
        () => 1,
      );
      for (const state of pathTo(executionTransitions, 'CREATED' as ExecutionState, from)!)
        machine.enter(state);
      const enter = () => machine.enter(to);
      if (executionTransitions[from].includes(to)) expect(enter).not.toThrow();
      else expect(enter).toThrow(IllegalTransitionError);
    }
  });

  it('never leave a terminal state, whatever is reported', () => {
    for (const from of allExecutionStates.filter(isTerminalExecutionState)) {
      for (const to of allExecutionStates) {
        const execution = at(from);
        expect(execution.report(to)).not.toBe('changed');
        expect(execution.state).toBe(from);
      }
    }
  });

  it('treat a repeated report as one', () => {
    for (const state of ['INITIALIZING', 'RUNNING', 'FINISHED', 'FAILED'] as const) {
      expect(at(state).report(state)).toBe('duplicate');
    }
  });

  it('refuse reports that only the JobManager decides, and those that go back', () => {
    expect(at('RUNNING').report('INITIALIZING')).toBe('illegal');
    expect(at('RUNNING').report('CANCELED')).toBe('illegal');
    expect(at('RUNNING').report('CANCELING')).toBe('illegal');
    expect(at('SCHEDULED').report('DEPLOYING')).toBe('illegal');
    expect(at('FINISHED').report('FAILED')).toBe('illegal');
  });

  it.each(['FINISHED', 'FAILED', 'CANCELED'] as const)(
    'end CANCELED when %s comes after the cancel (X2)',
    (late) => {
      const execution = at('CANCELING');
      expect(execution.report(late)).toBe('changed');
      expect(execution.state).toBe('CANCELED');
      expect(execution.report('CANCELED')).toBe('duplicate');
    },
  );

  it('take RUNNING that crossed the cancel for nothing new', () => {
    const execution = at('CANCELING');
    expect(execution.report('RUNNING')).toBe('duplicate');
    expect(execution.state).toBe('CANCELING');
  });

  it.each(['RUNNING', 'FINISHED', 'FAILED'] as const)(
    'take %s for nothing new after they were given up',
    (late) => {
      const execution = at('DEPLOYING');
      execution.giveUp();
      expect(execution.report(late)).toBe('duplicate');
      expect(execution.state).toBe('CANCELED');
    },
  );

  it('can be given up from everywhere', () => {
    for (const from of allExecutionStates) {
      const execution = at(from);
      execution.giveUp();
      expect(execution.ended).toBe(true);
    }
  });
});
