import { expect, it, onTestFinished } from 'vitest';
import { LoopDelay } from '../../../src/runtime/metrics/loop-delay.ts';

/** Timers come when the test says so. */
function create() {
  let now = 0;
  let timer: (() => void) | null = null;
  const loop = new LoopDelay({
    monotonic: () => now,
    after: (_ms, action) => {
      timer = action;
      return () => (timer = null);
    },
  });
  onTestFinished(() => loop.close());
  const fire = (afterMs: number) => {
    now += afterMs;
    timer?.();
  };
  return { loop, fire, isWaiting: () => timer !== null };
}

it('says how late the event loop is, on average and at worst', () => {
  const { loop, fire } = create();
  expect(loop.take()).toEqual({ meanMs: 0, maxMs: 0 });
  for (const afterMs of [100, 99.5, 130, 170]) fire(afterMs); // A timer may come a little early.
  expect(loop.take()).toEqual({ meanMs: 25, maxMs: 70 });
});

it('sees what blocks it right after a look', () => {
  const { loop, fire } = create();
  loop.take();
  fire(600);
  expect(loop.take()).toEqual({ meanMs: 500, maxMs: 500 });
  expect(loop.take()).toEqual({ meanMs: 0, maxMs: 0 });
});

it('ends', () => {
  const { loop, isWaiting } = create();
  expect(isWaiting()).toBe(true);
  loop.close();
  expect(isWaiting()).toBe(false);
});
