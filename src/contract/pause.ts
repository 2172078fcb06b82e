/** Waiting for a while, on a clock that tests move. */
import type { Clock } from './clock.ts';

/** Resolves after `ms`, or as soon as `signal` is aborted. Leaves nothing on either. */
export function pause(clock: Pick<Clock, 'after'>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
