import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type RestartPlace,
  RestartThrottle,
} from '../../../../src/runtime/jobmanager/scheduler/restart-throttle.ts';
import { ManualClock } from '../../rpc/manual-clock.ts';

const create = (max: number, clock = new ManualClock()) => new RestartThrottle(max, clock);

/** The numbers of those whose turn it is. */
const admitted = (places: readonly RestartPlace[]) =>
  places.flatMap((place, i) => (place.ahead === null ? [i] : []));

describe('places', () => {
  it('are given in the order they are asked for', async () => {
    const throttle = create(2);
    const places = Array.from({ length: 5 }, () => throttle.enter());
    await Promise.all(places.slice(0, 2).map((place) => place.admitted));
    expect(places.map(({ ahead }) => ahead)).toEqual([null, null, 0, 1, 2]);
    places[1]!.leave();
    await places[2]!.admitted;
    expect(places.map(({ ahead }) => ahead)).toEqual([null, null, null, 0, 1]);
  });

  it('are not given to those who left', () => {
    const throttle = create(1);
    const places = Array.from({ length: 3 }, () => throttle.enter());
    places[1]!.leave();
    places[0]!.leave();
    expect(places.map(({ ahead }) => ahead)).toEqual([null, null, null]);
    expect(throttle.enter().ahead).toBe(0); // the third has the place
  });

  it('are given back once', () => {
    const throttle = create(1);
    const [first, second, third] = Array.from({ length: 3 }, () => throttle.enter());
    first!.leave();
    first!.leave(); // T3
    expect([second!.ahead, third!.ahead]).toEqual([null, 0]);
  });

  it('are taken away from who keeps them for a minute (T4)', () => {
    const clock = new ManualClock();
    const throttle = create(1, clock);
    const [hanging, next, last] = Array.from({ length: 3 }, () => throttle.enter());
    clock.advance(59_999);
    expect(next!.ahead).toBe(0);
    clock.advance(1);
    expect(next!.ahead).toBeNull();
    hanging!.leave(); // gives back nothing more
    expect(last!.ahead).toBe(0);
    next!.leave();
    last!.leave();
    expect(clock.pending).toBe(0);
  });

  it('are never too many, and never left empty while somebody waits', () => {
    const steps = fc.array(fc.oneof(fc.constant('enter' as const), fc.nat(20)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), steps, (max, actions) => {
        const throttle = create(max);
        const there: RestartPlace[] = [];
        for (const action of actions) {
          if (action === 'enter') there.push(throttle.enter());
          else there.splice(action, 1)[0]?.leave();
          const expected = there.slice(0, max).map((_, i) => i);
          expect(admitted(there)).toEqual(expected); // T1, T2
        }
      }),
    );
  });
});
