/**
 * The one interface between operators, and between a chain of them and its host: a stream's elements,
 * in order. Calls are synchronous and allocate nothing. Barriers are no elements: they are the task's business.
 */

export interface ElementConsumer<T = unknown> {
  /** `timestamp`: epoch milliseconds or `NO_TIMESTAMP`. */
  record(value: T, timestamp: number): void;
  /** No record with a timestamp at or below this one follows. Never decreases. */
  watermark(timestamp: number): void;
  /** An idle stream does not hold back the watermark of the operators behind it. */
  idle(isIdle: boolean): void;
  /** No element follows. */
  end(): void;
}
