/** What a window keeps per key, behind one interface: an accumulator, a reduced value, or all elements. */
import type { AggregateFunction, ReduceFunction } from '../../../api/functions.ts';
import type { WindowOperation } from '../../../api/transformations.ts';

export interface WindowContents {
  /** What is kept after the first element. */
  first(value: unknown): unknown;
  /** What is kept after one more. May change `kept`. */
  add(kept: unknown, value: unknown): unknown;
  /** What a window function without incremental contents would iterate over. */
  values(kept: unknown): Iterable<unknown>;
  /** The result when there is no window function. */
  result(kept: unknown): unknown;
}

class AggregateContents implements WindowContents {
  private readonly fn: AggregateFunction<unknown, unknown, unknown>;

  constructor(fn: AggregateFunction<unknown, unknown, unknown>) {
    this.fn = fn;
  }

  first(value: unknown): unknown {
    return this.fn.add(value, this.fn.createAccumulator());
  }

  add(kept: unknown, value: unknown): unknown {
    return this.fn.add(value, kept);
  }

  values(kept: unknown): Iterable<unknown> {
    return [this.fn.getResult(kept)];
  }

  result(kept: unknown): unknown {
    return this.fn.getResult(kept);
  }
}

class ReduceContents implements WindowContents {
  private readonly fn: ReduceFunction<unknown>;

  constructor(fn: ReduceFunction<unknown>) {
    this.fn = fn;
  }

  first(value: unknown): unknown {
    return value;
  }

  add(kept: unknown, value: unknown): unknown {
    return this.fn(kept, value);
  }

  values(kept: unknown): Iterable<unknown> {
    return [kept];
  }

  result(kept: unknown): unknown {
    return kept;
  }
}

class ElementContents implements WindowContents {
  first(value: unknown): unknown {
    return [value];
  }

  add(kept: unknown, value: unknown): unknown {
    (kept as unknown[]).push(value);
    return kept;
  }

  values(kept: unknown): Iterable<unknown> {
    return kept as readonly unknown[];
  }

  result(kept: unknown): unknown {
    return kept;
  }
}

export function windowContents(contents: WindowOperation['contents']): WindowContents {
  switch (contents.kind) {
    case 'aggregate':
      return new AggregateContents(contents.fn);
    case 'reduce':
      return new ReduceContents(contents.fn);
    case 'elements':
      return new ElementContents();
  }
}
