/**
 * `watch` for places that tell nobody what changes: looks again and again.
 *
 * L1  The pauses are jittered by a quarter, so that many clients of one place do not ask in step.
 * L2  A look begins only when the one before was answered and taken: a slow place is asked more rarely.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Call } from '../../contract/call.ts';
import type { ObservedCluster } from '../provider.ts';

/** Between two looks, in ms: a kind rate for a server that others use, too. */
const defaultPauseMs = 1000;
const jitter = 0.25;

export interface PollClock {
  /** From 0 to 1. */
  random(): number;
  /** Rejects when the signal is aborted. */
  delay(ms: number, signal: AbortSignal): Promise<void>;
}

const systemClock: PollClock = {
  random: Math.random,
  delay: (ms, signal) => delay(ms, undefined, { signal }),
};

export interface PollOptions {
  readonly pauseMs?: number;
  readonly clock?: PollClock;
}

/**
 * What `look` finds, at once and whenever it differs from what was told before. Ends when the caller stops
 * iterating.
 * @throws the reason of the signal, or what `look` rejects with.
 */
export async function* watchByPolling(
  look: () => Promise<ObservedCluster | null>,
  { signal }: Call,
  { clock = systemClock, pauseMs = defaultPauseMs }: PollOptions = {},
): AsyncGenerator<ObservedCluster | null> {
  let told: ObservedCluster | null | undefined;
  for (;;) {
    signal.throwIfAborted();
    const now = await look();
    if (told === undefined || !isDeepStrictEqual(now, told)) {
      told = now;
      yield now;
    }
    const pause = pauseMs * (1 + jitter * (2 * clock.random() - 1)); // L1
    await clock.delay(pause, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  }
}
