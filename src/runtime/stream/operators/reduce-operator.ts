/** Rolling keyed reduce: keeps one value a key and emits the new one for every element. */
import type { KeySelector, ReduceFunction } from '../../../api/functions.ts';
import type { KeySpace } from '../state/key-space.ts';
import { KeyedTable } from '../state/keyed-table.ts';
import { Operator } from './operator.ts';
import type { OperatorSetup } from './operator.ts';

export class ReduceOperator extends Operator {
  private readonly fn: ReduceFunction<unknown>;
  private readonly selector: KeySelector<unknown, unknown>;
  private readonly values: KeyedTable<unknown>;

  constructor(
    setup: OperatorSetup,
    fn: ReduceFunction<unknown>,
    selector: KeySelector<unknown, unknown>,
    keys: KeySpace,
  ) {
    super(setup);
    this.fn = fn;
    this.selector = selector;
    this.values = new KeyedTable(keys);
  }

  record(value: unknown, timestamp: number): void {
    try {
      const key = this.selector(value);
      const cell = this.values.get(key);
      if (cell === undefined) {
        this.values.add(key, value);
        this.output.record(value, timestamp);
      } else {
        cell.value = this.fn(cell.value, value);
        this.output.record(cell.value, timestamp);
      }
    } catch (error) {
      this.blame(error);
      throw error;
    }
  }
}
