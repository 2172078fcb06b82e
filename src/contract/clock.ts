/**
 * Time, as everything in client and runtime sees it, so that tests decide when and how it passes.
 *
 * C1  Whoever measures an interval (heartbeats, timeouts, pauses, rates) uses the monotonic side. The wall
 *     clock is for what people and other machines read; it may step, backwards too.
 * C2  A timer is a hint, not a promise: it may come up to a millisecond early, by either side of the clock,
 *     and as late as the machine is busy. Whoever waits for a time looks at the clock and waits again.
 */
export interface Clock {
  /** Epoch milliseconds, whole ones: the wall clock. */
  now(): number;
  /** Milliseconds since some moment; never goes back. */
  monotonic(): number;
  /** Runs `action` once, after about `ms` (C2), however many those are. @returns how to prevent that. */
  after(ms: number, action: () => void): () => void;
}

/** The longest that Node waits; what is longer it takes for 1 ms. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's time. A timer alone does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, action) => {
    let left = ms;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const next = Math.min(left, longestTimeoutMs);
      left -= next;
      timer = setTimeout(() => (left > 0 ? wait() : action()), next).unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};
