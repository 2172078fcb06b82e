import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { HostileClock } from './hostile-clock.ts';

describe('the machine’s clock', () => {
  test('waits also for longer than Node can', async () => {
    let hasCome = false;
    const prevent = systemClock.after(2 ** 31 + 5, () => (hasCome = true));
    await new Promise<void>((resolve) => void systemClock.after(20, resolve));
    prevent();
    expect(hasCome).toBe(false);
  });

  test('forgets a timer that was prevented', async () => {
    let hasCome = false;
    systemClock.after(1, () => (hasCome = true))();
    await new Promise<void>((resolve) => void systemClock.after(20, resolve));
    expect(hasCome).toBe(false);
  });
});

describe('the clock of the tests', () => {
  test('calls early, and late enough when the rest is waited for', () => {
    const clock = new HostileClock();
    const seen: number[] = [];
    const wait = (until: number): void => {
      seen.push(clock.monotonic());
      if (clock.monotonic() < until) clock.after(until - clock.monotonic(), () => wait(until));
    };
    wait(100);
    clock.advance(101);
    expect(seen[1]).toBeGreaterThan(99);
    expect(seen[1]).toBeLessThan(100);
    expect(seen[2]).toBeGreaterThanOrEqual(100);
  });

  test('steps by its wall alone', () => {
    const clock = new HostileClock(5000);
    clock.step(-3000);
    clock.advance(10);
    expect([clock.now(), clock.monotonic()]).toEqual([2010, 10]);
  });

  test('lets what is due at about the same time come together', () => {
    const clock = new HostileClock();
    const times: number[] = [];
    for (const ms of [10, 11, 30]) clock.after(ms, () => times.push(clock.monotonic()));
    clock.advance(40);
    expect(times[0]).toBe(times[1]);
    expect(times[2]).toBeGreaterThan(29);
  });
});
