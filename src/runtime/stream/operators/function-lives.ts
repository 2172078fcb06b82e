/**
 * The functions of a chain that users gave as objects: opened before its operators, closed after them.
 *
 * Z1  Those of the last operator are opened first, as operators are; they are closed in the reverse order.
 * Z2  What was asked to open is closed, once, however the task ends: also when opening it failed.
 * Z3  An error in one does not keep others from being closed. It is noted under its operator's name.
 */
import type { RichFunction, RuntimeContext } from '../../../api/functions.ts';
import type { FailureLog } from './failures.ts';

/** The functions of one operator. */
export interface OperatorFunctions {
  /** `OperatorNode.name` */
  readonly operator: string;
  readonly context: RuntimeContext;
  /** In the order in which they are opened. */
  readonly functions: readonly RichFunction[];
}

/** What went wrong in a `close`. */
export interface CloseFailure {
  readonly operator: string;
  readonly error: unknown;
}

interface Opened {
  readonly operator: string;
  readonly rich: RichFunction;
}

export class FunctionLives {
  private readonly operators: readonly OperatorFunctions[];
  private readonly failures: FailureLog;
  private readonly opened: Opened[] = [];

  /** @param operators in chain order. */
  constructor(operators: readonly OperatorFunctions[], failures: FailureLog) {
    this.operators = operators;
    this.failures = failures;
  }

  /** Rejects with what the first `open` that fails has thrown; those after it are not opened. */
  async open(): Promise<void> {
    for (const { operator, context, functions } of this.operators.toReversed()) {
      for (const rich of functions) {
        this.opened.push({ operator, rich }); // Z2
        try {
          await rich.open?.(context);
        } catch (error) {
          this.failures.note(error, operator);
          throw error;
        }
      }
    }
  }

  /** Never rejects. @returns what went wrong, in order. */
  async close(): Promise<readonly CloseFailure[]> {
    const failed: CloseFailure[] = [];
    for (let next = this.opened.pop(); next; next = this.opened.pop()) {
      const { operator, rich } = next;
      try {
        await rich.close?.();
      } catch (error) {
        this.failures.note(error, operator); // Z3
        failed.push({ operator, error });
      }
    }
    return failed;
  }
}
