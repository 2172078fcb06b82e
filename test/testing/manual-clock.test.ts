import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.ts';

test('stands still, then fires what is due in order, each at its own time', () => {
  const clock = new ManualClock(1000);
  const fired: [string, number][] = [];
  const on = (name: string) => () => void fired.push([name, clock.now()]);
  clock.after(500, on('c'));
  clock.after(200, on('a'));
  clock.after(200, on('b'));
  clock.after(-100, on('past'));
  clock.after(8000, on('never'));
  clock.after(300, on('prevented'))();
  expect(fired).toEqual([]);
  clock.advance('499ms');
  expect(fired).toEqual([
    ['past', 1000],
    ['a', 1200],
    ['b', 1200],
  ]);
  expect(clock.now()).toBe(1499);
  clock.advance(1);
  expect(fired.at(-1)).toEqual(['c', 1500]);
});

test('a timer that registers another one fires it in the same move when it is due', () => {
  const clock = new ManualClock();
  const times: number[] = [];
  const tick = () => {
    times.push(clock.now());
    clock.after(100, tick);
  };
  clock.after(100, tick);
  clock.advance(350);
  expect(times).toEqual([100, 200, 300]);
  expect(clock.now()).toBe(350);
});

test('refuses what is no duration', () => {
  expect(() => new ManualClock().advance('soon')).toThrow(/'soon' is not a duration/);
});
