/**
 * What a window keeps per key, behind one interface: an accumulator, a reduced value, or all elements.
 *
 * A1  What is kept is of its declared type when it is kept first and when it is used for a result; between these
 *     two it is not looked at, since that would cost every record.
 */
import { compileCodec } from '../../../api/codec.ts';
import type { AggregateFunction, ReduceFunction } from '../../../api/functions.ts';
import type { WindowOperation } from '../../../api/transformations.ts';
import type { TypeShape } from '../../../api/types.ts';

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

/** Checks what is kept (A1). @throws TypeError that says what it is. */
type Check = (kept: unknown) => void;

function checkOf(type: TypeShape | null | undefined, what: string): Check | null {
  if (!type) return null;
  const { check } = compileCodec<unknown>(type);
  return (kept) => {
    try {
      check(kept);
    } catch (error) {
      const message = (error as Error).message.replace(/^the value: /, '');
      throw new TypeError(`${what}: ${message}`, { cause: error });
    }
  };
}

class AggregateContents implements WindowContents {
  private readonly fn: AggregateFunction<unknown, unknown, unknown>;
  private readonly check: Check | null;

  constructor(fn: AggregateFunction<unknown, unknown, unknown>, check: Check | null) {
    this.fn = fn;
    this.check = check;
  }

  first(value: unknown): unknown {
    const kept = this.fn.add(value, this.fn.createAccumulator());
    this.check?.(kept);
    return kept;
  }

  add(kept: unknown, value: unknown): unknown {
    return this.fn.add(value, kept);
  }

  values(kept: unknown): Iterable<unknown> {
    return [this.result(kept)];
  }

  result(kept: unknown): unknown {
    this.check?.(kept);
    return this.fn.getResult(kept);
  }
}

class ReduceContents implements WindowContents {
  private readonly fn: ReduceFunction<unknown>;
  private readonly check: Check | null;

  constructor(fn: ReduceFunction<unknown>, check: Check | null) {
    this.fn = fn;
    this.check = check;
  }

  first(value: unknown): unknown {
    return value;
  }

  add(kept: unknown, value: unknown): unknown {
    return this.fn(kept, value);
  }

  values(kept: unknown): Iterable<unknown> {
    return [this.result(kept)];
  }

  result(kept: unknown): unknown {
    this.check?.(kept);
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
      return new AggregateContents(contents.fn, checkOf(contents.type, 'the accumulator'));
    case 'reduce':
      return new ReduceContents(contents.fn, checkOf(contents.type, 'the reduced value'));
    case 'elements':
      return new ElementContents();
  }
}
