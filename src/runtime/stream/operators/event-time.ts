/**
 * Timestamps and bounded-out-of-orderness watermarks of one stream: what sources and watermark
 * operators share. Watermark = highest timestamp − bound − 1 ms, as Flink's.
 */
import { NO_TIMESTAMP } from '../../../api/source.ts';
import type { WatermarkStrategy } from '../../../api/watermarks.ts';

export class EventTime {
  private readonly strategy: WatermarkStrategy<unknown>;
  private readonly operator: string;
  private maxTimestamp: number = NO_TIMESTAMP;

  constructor(strategy: WatermarkStrategy<unknown>, operator: string) {
    this.strategy = strategy;
    this.operator = operator;
  }

  /** Timestamp of `value`, which from now on counts for the watermark. @throws TypeError: not a number. */
  assign(value: unknown): number {
    const timestamp = this.strategy.timestamp(value);
    if (!Number.isFinite(timestamp)) this.refuse(timestamp);
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    return timestamp;
  }

  /** The watermark that holds now; `NO_TIMESTAMP` before the first element. */
  watermark(): number {
    return this.maxTimestamp - this.strategy.outOfOrdernessMs - 1;
  }

  private refuse(timestamp: unknown): never {
    throw new TypeError(
      `the timestamp function of the watermark strategy of '${this.operator}' returned ` +
        `${String(timestamp)}; it must return epoch milliseconds (a finite number) for every element`,
    );
  }
}
