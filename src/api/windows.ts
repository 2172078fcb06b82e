/** Window assigners, with Flink's names. Plain data; `src/runtime/operators` does the assigning. */
import { parseDurationMs } from '../contract/units.ts';

export type WindowAssigner =
  | { readonly kind: 'tumbling-event-time'; readonly sizeMs: number; readonly offsetMs: number }
  /** One window over the whole stream that fires at the end of input. */
  | { readonly kind: 'end-of-stream' };

/** `1d`, `500ms`, or milliseconds as a number. @throws RangeError when it is not a duration above 0. */
export function durationMs(duration: string | number): number {
  const ms = typeof duration === 'number' ? duration : parseDurationMs(duration);
  if (ms === null || !Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`'${duration}' is not a duration: use for example '10s', '5m', '1d'`);
  }
  return ms;
}

/** As `durationMs`, also below 0. */
function offsetMs(offset: string | number): number {
  const isNegative = typeof offset === 'number' ? offset < 0 : /^-\d/.test(offset);
  if (!isNegative) return durationMs(offset);
  return -durationMs(typeof offset === 'number' ? -offset : offset.slice(1));
}

export const TumblingEventTimeWindows = {
  /**
   * Windows of a fixed size, aligned to the epoch (UTC) plus `offset`. The days of a zone east of Greenwich begin
   * before those of UTC: `of('1d', '-8h')` are those of China.
   */
  of(size: string | number, offset: string | number = 0): WindowAssigner {
    const sizeMs = durationMs(size);
    if (sizeMs === 0) throw new RangeError('a window must be longer than 0');
    // From 0 to the size: windows that are apart by a whole one are the same.
    const inWindow = ((offsetMs(offset) % sizeMs) + sizeMs) % sizeMs;
    return { kind: 'tumbling-event-time', sizeMs, offsetMs: inWindow };
  },
};

export const EndOfStreamWindows = {
  /** One window that holds the whole bounded stream. */
  get(): WindowAssigner {
    return { kind: 'end-of-stream' };
  },
};
