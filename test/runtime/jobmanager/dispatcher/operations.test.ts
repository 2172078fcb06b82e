import { describe, expect, it } from 'vitest';
import {
  type OperationKey,
  type OperationOutcome,
  Operations,
  OperationType,
} from '../../../../src/runtime/jobmanager/dispatcher/operations.ts';

const job = 'a'.repeat(32);
const failed: OperationOutcome = { type: 'failed', javaClass: 'X', message: 'no' };

function create() {
  let now = 0;
  const operations = new Operations({
    now: () => now,
    monotonic: () => now,
    after: () => () => {},
  });
  return { operations, pass: (ms: number) => (now += ms) };
}

const key = (triggerId: string, changes: Partial<OperationKey> = {}): OperationKey => ({
  type: OperationType.savepoint,
  jobId: job,
  triggerId,
  ...changes,
});

describe('operations', () => {
  it('are done once for an id (O1)', () => {
    const { operations } = create();
    operations.trigger(key('1'), () => failed);
    operations.trigger(key('1'), () => ({ type: 'done' }));
    expect(operations.outcome(key('1'))).toEqual(failed);
  });

  it('are told apart by job and type', () => {
    const { operations } = create();
    operations.trigger(key('1'), () => failed);
    expect(operations.outcome(key('2'))).toBeNull();
    expect(operations.outcome(key('1', { jobId: 'b'.repeat(32) }))).toBeNull();
    expect(operations.outcome(key('1', { type: OperationType.checkpoint }))).toBeNull();
  });

  it('are remembered for five minutes (O2)', () => {
    const { operations, pass } = create();
    operations.trigger(key('1'), () => failed);
    pass(299_999);
    expect(operations.outcome(key('1'))).toEqual(failed);
    pass(1);
    expect(operations.outcome(key('1'))).toBeNull();
  });

  it('are a thousand at most, the newest ones (O2)', () => {
    const { operations } = create();
    for (let index = 0; index <= 1000; index++) {
      operations.trigger(key(String(index)), () => failed);
    }
    expect(operations.outcome(key('0'))).toBeNull();
    expect(operations.outcome(key('1'))).toEqual(failed);
    expect(operations.outcome(key('1000'))).toEqual(failed);
  });
});
