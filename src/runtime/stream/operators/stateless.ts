/** Operators without state: map, flatMap, filter. Timestamps stay those of the element. */
import type {
  FilterFunction,
  FlatMapFunction,
  MapFunction,
  RuntimeContext,
} from '../../../api/functions.ts';
import { Operator } from './operator.ts';
import type { OperatorSetup } from './operator.ts';
import { TimestampedCollector } from './timestamped-collector.ts';

export class MapOperator extends Operator {
  private readonly fn: MapFunction<unknown, unknown>;
  private readonly context: RuntimeContext;

  constructor(setup: OperatorSetup, fn: MapFunction<unknown, unknown>) {
    super(setup);
    this.fn = fn;
    this.context = setup.context;
  }

  record(value: unknown, timestamp: number): void {
    try {
      this.output.record(this.fn(value, this.context), timestamp);
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }
}

export class FilterOperator extends Operator {
  private readonly fn: FilterFunction<unknown>;
  private readonly context: RuntimeContext;

  constructor(setup: OperatorSetup, fn: FilterFunction<unknown>) {
    super(setup);
    this.fn = fn;
    this.context = setup.context;
  }

  record(value: unknown, timestamp: number): void {
    try {
      if (this.fn(value, this.context)) this.output.record(value, timestamp);
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }
}

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
