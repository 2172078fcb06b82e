/** Watermark strategies: how a source tells event time. */
import { durationMs } from './windows.ts';

export interface WatermarkStrategy<T> {
  /** Epoch milliseconds of an element. */
  readonly timestamp: (value: T) => number;
  /** Watermark = highest timestamp − this − 1 ms. */
  readonly outOfOrdernessMs: number;
  /** A source without a record for this long is marked idle; `null`: never. */
  readonly idlenessMs: number | null;
}

export interface WatermarkOptions {
  /**
   * A source without a record for this long no longer holds back the time of others, nor its end when all others
   * have ended: what it brings later may be late. Default: it is never idle.
   */
  readonly idleness?: string | number;
}

/** Elements may be late by up to `bound` against the newest one seen by the same subtask. */
export function boundedOutOfOrderness<T>(
  bound: string | number,
  timestamp: (value: T) => number,
  options: WatermarkOptions = {},
): WatermarkStrategy<T> {
  const idlenessMs = options.idleness === undefined ? null : durationMs(options.idleness);
  return { timestamp, outOfOrdernessMs: durationMs(bound), idlenessMs };
}

/** Timestamps never decrease within one subtask. */
export function monotonousTimestamps<T>(
  timestamp: (value: T) => number,
  options: WatermarkOptions = {},
): WatermarkStrategy<T> {
  return boundedOutOfOrderness(0, timestamp, options);
}
