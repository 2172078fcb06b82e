/**
 * The collector that user functions emit through: one object per operator, which gives every value the
 * timestamp of the call it is emitted in.
 *
 * L1  What fails behind an operator fails the task, also where the function that emitted has caught it: half
 *     of what is behind has seen the record, the other half has not.
 */
import type { Collector } from '../../../api/functions.ts';
import type { ElementConsumer } from './element-consumer.ts';

export class TimestampedCollector implements Collector<unknown> {
  private readonly output: ElementConsumer;
  private readonly operator: string;
  private timestamp = 0;
  private isOpen = false;
  private failure: { readonly error: unknown } | null = null;

  constructor(output: ElementConsumer, operator: string) {
    this.output = output;
    this.operator = operator;
  }

  /** A call of the user function begins; what it emits gets `timestamp`. */
  begin(timestamp: number): void {
    this.timestamp = timestamp;
    this.isOpen = true;
  }

  /** The call is over. A function that kept the collector (an async one) is told so. @throws see L1. */
  finish(): void {
    this.isOpen = false;
    if (this.failure !== null) throw this.failure.error;
  }

  collect(value: unknown): void {
    if (!this.isOpen) {
      throw new Error(
        `'${this.operator}' called out.collect() after its function had returned; user functions are ` +
          'synchronous: emit before returning',
      );
    }
    try {
      this.output.record(value, this.timestamp);
    } catch (error) {
      this.failure ??= { error }; // L1
      throw error;
    }
  }
}
