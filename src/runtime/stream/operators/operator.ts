/**
 * What all operators of a chain share: their wiring and the elements that they pass on unchanged.
 *
 * O1  An operator calls its output directly; nothing is queued between the operators of a chain.
 * O2  An operator passes a watermark on after everything that the watermark made it emit.
 * O3  Whatever is thrown while an operator works on an element is noted under its name and thrown on.
 */
import { NO_TIMESTAMP } from '../../../api/source.ts';
import type { RuntimeContext } from '../../../api/functions.ts';
import type { Committable } from '../../../api/sink.ts';
import type { ElementConsumer } from './element-consumer.ts';
import type { TaskCounters } from '../../../contract/metrics/task-metrics.ts';
import { mergedInputs } from './merged-inputs.ts';
import type { FailureLog } from './failures.ts';
import type { ChainHost } from './operator-chain.ts';
import type { ProcessingTimers } from '../timers/processing-timers.ts';

/** What operators count, all of a chain together. */
export type OperatorMetrics = TaskCounters;

/** What an operator gets from its chain. */
export interface OperatorSetup {
  /** `OperatorNode.id` */
  readonly id: string;
  /** `OperatorNode.name` */
  readonly name: string;
  readonly host: ChainHost;
  readonly output: ElementConsumer;
  /** Its own: what functions of other operators do to theirs is not seen here. */
  readonly context: RuntimeContext;
  readonly metrics: OperatorMetrics;
  readonly timers: ProcessingTimers;
  readonly failures: FailureLog;
}

export abstract class Operator implements ElementConsumer {
  readonly id: string;
  readonly name: string;
  /** The watermark passed on last. */
  currentWatermark: number = NO_TIMESTAMP;
  protected readonly output: ElementConsumer;
  private readonly failures: FailureLog;

  constructor(setup: OperatorSetup) {
    this.id = setup.id;
    this.name = setup.name;
    this.output = setup.output;
    this.failures = setup.failures;
  }

  abstract record(value: unknown, timestamp: number): void;

  /**
   * What feeds it, one an input. By default its inputs flow together: whatever comes is its own, and watermarks,
   * idleness and ends are merged. One that tells its inputs apart has a consumer for each.
   */
  inputs(count: number): readonly ElementConsumer[] {
    return mergedInputs(count, this);
  }

  watermark(timestamp: number): void {
    this.currentWatermark = timestamp;
    this.output.watermark(timestamp);
  }

  idle(isIdle: boolean): void {
    this.output.idle(isIdle);
  }

  end(): void {
    this.output.end();
  }

  /** Before the first element. Rejects on failure. */
  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Not `null`: no record may come until it resolves. Rejects on failure. */
  ready(): Promise<void> | null {
    return null;
  }

  /** It has stopped in the middle of what an element made it do, and goes on with `resume` (C5). */
  get isInterrupted(): boolean {
    return false;
  }

  /** Goes on with what was interrupted, if anything was. */
  resume(): void {}

  /** After the end. Resolves to what was prepared for a committer; `null`: the operator has none. */
  finish(): Promise<readonly Committable[] | null> {
    return Promise.resolve(null);
  }

  /** Frees everything and removes what was prepared. */
  abort(): Promise<void> {
    return Promise.resolve();
  }

  /** O3 */
  protected blame(error: unknown): void {
    this.failures.note(error, this.name);
  }
}
