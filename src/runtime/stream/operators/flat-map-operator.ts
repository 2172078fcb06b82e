/** An operator whose function emits any number of records for each. Timestamps stay those of the element. */
import type { FlatMapFunction, RuntimeContext } from '../../../api/functions.ts';
import { Operator } from './operator.ts';
import type { OperatorSetup } from './operator.ts';
import { TimestampedCollector } from './timestamped-collector.ts';

export class FlatMapOperator extends Operator {
  private readonly fn: FlatMapFunction<unknown, unknown>;
  private readonly context: RuntimeContext;
  private readonly collector: TimestampedCollector;

  constructor(setup: OperatorSetup, fn: FlatMapFunction<unknown, unknown>) {
    super(setup);
    this.fn = fn;
    this.context = setup.context;
    this.collector = new TimestampedCollector(setup.output, setup.name);
  }

  record(value: unknown, timestamp: number): void {
    try {
      this.collector.begin(timestamp);
      this.fn(value, this.collector, this.context);
      this.collector.finish();
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }
}
