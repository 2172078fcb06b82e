/** Event time and idleness on a real task, while time passes as a machine's may. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedOutOfOrderness } from '../../../../src/api/watermarks.ts';
import { HostileClock } from '../../hostile-clock.ts';
import type { NodeSpec } from '../operators/chains.ts';
import { encoded, startTask } from './tasks.ts';

const dayMs = 86_400_000;

const watermarksOf = (idleness?: number): NodeSpec => ({
  id: 'watermarks',
  operation: {
    kind: 'watermarks',
    strategy: boundedOutOfOrderness<number>(
      0,
      (n) => n,
      idleness === undefined ? {} : { idleness },
    ),
  },
});

/** Lets the task have its turns. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function open(idleness?: number) {
  const clock = new HostileClock();
  const started = await startTask([watermarksOf(idleness)], 1, clock);
  let next = 0;
  return {
    ...started,
    clock,
    /** A record in a buffer of its own. @returns its value, which is its timestamp. */
    receive: async () => {
      started.channels[0]!.received(encoded(1, false, next));
      await turns();
      return next++;
    },
    pass: async (ms: number) => {
      // The task works in the moment in which its timer comes, not when all time has passed.
      for (let left = ms; left > 0;) {
        const step = Math.min(left, clock.untilNext);
        clock.advance(step);
        left -= step;
        await turns();
      }
    },
  };
}

/** Two more: for the timer that came early, and for what was due together. */
const interval = 203;

describe('a task with a watermark strategy', () => {
  it('passes every watermark on, however early its timers come', async () => {
    const { output, pass, receive } = await open();
    for (let i = 0; i < 50; i++) {
      const value = await receive();
      await pass(interval / 2);
      await pass(interval / 2);
      expect(output.take()).toEqual([{ value, timestamp: value }, { watermark: value - 1 }]);
    }
  });

  it('does so while the wall clock steps, and whatever comes between', async () => {
    const move = fc.record({
      step: fc.oneof(fc.constant(0), fc.integer({ min: -dayMs, max: dayMs })),
      ms: fc.integer({ min: 1, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 20 }), async (moves) => {
        const { clock, output, pass, receive } = await open(1000);
        let last = 0;
        for (const { ms, step } of moves) {
          last = await receive();
          clock.step(step);
          await pass(ms);
        }
        await pass(interval);
        expect(
          output.elements.filter((e) => typeof e === 'object' && 'watermark' in e).at(-1),
        ).toEqual({ watermark: last - 1 });
        await pass(1002);
        expect(output.elements.at(-1)).toEqual({ idle: true });
      }),
      { numRuns: 30 },
    );
  });

  it('is idle after more days than a timer of Node can wait, and not before', async () => {
    const { output, pass } = await open(30 * dayMs);
    await pass(30 * dayMs - 1);
    expect(output.take()).toEqual([]);
    await pass(3);
    expect(output.take()).toEqual([{ idle: true }]);
  });

  it('has one timer, however many its operators wait for', async () => {
    const { clock, receive, pass } = await open(1000);
    for (let i = 0; i < 20; i++) {
      await receive();
      expect(clock.pending).toBe(1);
      await pass(77);
    }
  });

  it('sets no timer that nobody waits for', async () => {
    const { channels, clock, ended, pass, receive } = await open();
    await receive();
    await pass(interval);
    expect(clock.pending).toBe(0);
    await receive();
    channels[0]!.received(encoded(0, true));
    await ended;
    expect(clock.pending).toBe(0);
  });
});
