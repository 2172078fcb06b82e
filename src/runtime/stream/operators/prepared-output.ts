/**
 * What happens to a record on its way out of an operator, so that it makes no difference for any answer
 * whether what is behind lies in the same chain, in the same slot, or elsewhere:
 *
 * R1  A record is of the declared type of its operator, whoever gets it. Edges see to that for themselves
 *     (encoding checks, and so does the copy of a channel within a slot); for what is behind in the chain it
 *     is checked here.
 * R2  Whoever may change or keep a record has it alone. It is copied where somebody else still holds it: the
 *     state of its operator, the function that emitted it (which may emit it again, or the next one in the
 *     same object), or another consumer.
 * R3  No copy for what only looks at a record: an edge, a sink that keeps nothing of it, filters and
 *     watermarks in front of those. And none from one function to the next for what a `map` returns.
 */
import type { Operation } from '../../../api/transformations.ts';
import type { ElementConsumer } from './element-consumer.ts';

/** Checks or copies a record. @returns what goes on. */
export type Prepare = (value: unknown) => unknown;

class PreparedOutput implements ElementConsumer {
  private readonly prepare: Prepare;
  private readonly target: ElementConsumer;

  constructor(prepare: Prepare, target: ElementConsumer) {
    this.prepare = prepare;
    this.target = target;
  }

  record(value: unknown, timestamp: number): void {
    this.target.record(this.prepare(value), timestamp);
  }

  watermark(timestamp: number): void {
    this.target.watermark(timestamp);
  }

  idle(isIdle: boolean): void {
    this.target.idle(isIdle);
  }

  end(): void {
    this.target.end();
  }
}

/** `target`, behind `prepare` for every record; `null`: records go on as they are. */
export function preparedOutput(prepare: Prepare | null, target: ElementConsumer): ElementConsumer {
  return prepare === null ? target : new PreparedOutput(prepare, target);
}

/** Whether an operator makes values that may be of another type than it declares (R1). */
export function makesValues(operation: Operation): boolean {
  return (
    operation.kind !== 'filter' && operation.kind !== 'watermarks' && operation.kind !== 'sink'
  );
}

/** Whether an operator, or its function, still holds what it has emitted (R2). */
export function holdsWhatItEmits(operation: Operation): boolean {
  switch (operation.kind) {
    case 'flatMap':
    case 'reduce':
      return true;
    case 'window':
      return operation.windowFunction !== null || operation.allowedLatenessMs > 0;
    default:
      return false;
  }
}

/** Whether an operator neither changes nor keeps a record, given that nothing behind it does (R3). */
export function onlyLooks(operation: Operation): boolean {
  if (operation.kind === 'sink') return operation.sink.consumesAtOnce === true;
  return operation.kind === 'filter' || operation.kind === 'watermarks';
}
