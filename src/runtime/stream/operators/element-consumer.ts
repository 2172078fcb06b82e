/**
 * The one interface between operators, and between a chain of them and its host: a stream's elements,
 * in order. Calls are synchronous and allocate nothing.
 */

/** Separates the records of two checkpoints. Travels in-band. */
export interface CheckpointBarrier {
  readonly checkpointId: number;
  readonly timestamp: number;
}

export interface ElementConsumer<T = unknown> {
  /** `timestamp`: epoch milliseconds or `NO_TIMESTAMP`. */
  record(value: T, timestamp: number): void;
  /** No record with a timestamp at or below this one follows. Never decreases. */
  watermark(timestamp: number): void;
  /** An idle stream does not hold back the watermark of the operators behind it. */
  idle(isIdle: boolean): void;
  barrier(barrier: CheckpointBarrier): void;
  /** No element follows. */
  end(): void;
}
