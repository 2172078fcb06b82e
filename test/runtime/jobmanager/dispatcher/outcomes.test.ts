import { expect, it } from 'vitest';
import type { JobOutcome } from '../../../../src/contract/outcome.ts';
import { newestThatFit } from '../../../../src/runtime/jobmanager/dispatcher/outcomes.ts';

const outcome = (n: number, text = ''): JobOutcome => ({
  id: String(n),
  name: 'job',
  state: 'FINISHED',
  startTime: 1,
  endTime: 2,
  error: null,
  accumulators: { text },
  vertices: [],
});

it('the outcome of a cluster has the newest of its jobs, as many as the record takes', () => {
  const few = [outcome(1), outcome(2)];
  expect(newestThatFit(few)).toEqual(few);
  expect(newestThatFit([])).toEqual([]);
  const many = Array.from({ length: 5000 }, (_, n) => outcome(n));
  const kept = newestThatFit(many);
  expect(kept).toEqual(many.slice(-kept.length));
  expect(kept.length).toBeGreaterThan(500);
  expect(JSON.stringify(kept).length).toBeLessThan(256 * 1024);
});

it('the outcome of a cluster has its newest job, however large that is', () => {
  const kept = newestThatFit([outcome(1), outcome(2, 'x'.repeat(1_000_000))]);
  expect(kept).toEqual([outcome(1), { ...outcome(2), accumulators: {} }]);
});
