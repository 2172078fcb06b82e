/** A JobManager notices that it was replaced, once, and survives a record that cannot be read. */
import { expect, it, vi } from 'vitest';
import { type Leadership, LeadershipLostError } from '../../../src/runtime/ha/leadership.ts';
import { watchLeadership } from '../../../src/runtime/ha/watch-leadership.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { ManualClock } from '../rpc/manual-clock.ts';

function watch(checks: readonly (Error | null)[]) {
  const clock = new ManualClock();
  const onLost = vi.fn<(error: LeadershipLostError) => void>();
  let checked = 0;
  const leadership = {
    epoch: 1,
    check: async () => {
      const problem = checks[checked++] ?? null;
      if (problem !== null) throw problem;
    },
  } as unknown as Leadership;
  const stop = watchLeadership(leadership, {
    clock,
    logger: silentLogger,
    intervalMs: 10,
    onLost,
  });
  const tick = async () => {
    clock.advance(10);
    await new Promise(setImmediate);
  };
  return { checked: () => checked, onLost, stop, tick };
}

it('goes on after a record that cannot be read, and tells of another leader once', async () => {
  const lost = new LeadershipLostError(1, 2);
  const { checked, onLost, tick } = watch([null, new Error('EIO'), lost]);
  for (let i = 0; i < 5; i++) await tick();
  expect(onLost.mock.calls).toEqual([[lost]]);
  expect(checked()).toBe(3);
});

it('tells nothing once it was stopped, also of a check that is under way', async () => {
  const { checked, onLost, stop, tick } = watch([new LeadershipLostError(1, 2)]);
  const ticked = tick();
  stop();
  await ticked;
  await tick();
  expect(checked()).toBe(1);
  expect(onLost).not.toHaveBeenCalled();
});
