/**
 * An operator chain as its host sees it: the narrow interface through which the task loop, the test
 * harness, and later a bridge into another engine host user code.
 *
 * C1  A chain never blocks and never returns a promise per record: elements go in through `inputs` and
 *     come out, during the same call, through the host's `outputs`.
 * C2  The host merges watermarks, idleness and ends of the channels of one input; a chain sees
 *     each of them once per input.
 * C3  After `end()` on its last input a chain has emitted everything; the host then calls `finish()`.
 * C4  Whatever user code throws comes out of the call unchanged; the host gives it the task's name, and
 *     may ask `failedOperator` which operator of the chain it was.
 * C5  A chain may interrupt what one element makes it do (a watermark that fires very many windows) when
 *     its host asks it to yield. It keeps the order: what comes meanwhile has its effect afterwards.
 */
import type { Committable, TextOutput } from '../../../api/sink.ts';
import type { PollStatus, Split } from '../../../api/source.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { UserMetric } from '../../../contract/metrics/user-metrics.ts';
import type { TaskCounters } from '../../../contract/metrics/task-metrics.ts';
import type { ElementConsumer } from './element-consumer.ts';

/** What a host gives to a chain. */
export interface ChainHost {
  readonly jobId: string;
  /** Of the JobManager that runs the job. */
  readonly epoch: number;
  /** `Source: files -> Map (1/2)` */
  readonly taskName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attempt: number;
  readonly workingDirectory: string;
  /** Paths of the job's cached files on this machine, by name. */
  readonly cachedFiles: Readonly<Record<string, string>>;
  /** One per outgoing edge of the vertex, in the order of the JobGraph's `edges`. */
  readonly outputs: readonly ElementConsumer[];
  readonly clock: Pick<Clock, 'monotonic'>;
  /**
   * The host calls `OperatorChain.onProcessingTime` in about `ms`, between two elements. A call replaces the
   * one before: a chain has one timer.
   */
  readonly wakeAfter: (ms: number) => void;
  readonly stdout: TextOutput;
  /** Tells people of what does not fail the task, and has nobody else to tell it to. */
  readonly warn: (message: string) => void;
  /** Whether the chain should give its host a chance to do something else (C5). Asked often; cheap. */
  readonly shouldYield: () => boolean;
}

export interface OperatorChain {
  /** One per incoming edge of the vertex, in the order of the JobGraph's `edges`; empty for a source. */
  readonly inputs: readonly ElementConsumer[];
  /** Not `null` when the chain begins with a source. */
  readonly source: ChainSource | null;
  /**
   * What its operators count up, read by the host now and then: `recordsIn` is what a source emitted,
   * `recordsOut` what sinks wrote. What goes in and out otherwise the host counts.
   */
  readonly metrics: Readonly<TaskCounters>;
  /** The lowest that its last operators have passed on. */
  readonly currentWatermark: number;

  /** Opens user functions and sinks, and restores state. Rejects on failure. */
  open(): Promise<void>;
  /** Not `null`: the chain (a sink) takes no more records until it resolves. Rejects on failure. */
  ready(): Promise<void> | null;
  /** The time that the chain asked for may have come; it looks for itself. */
  onProcessingTime(): void;
  /**
   * The chain has yielded in the middle of something: the host calls `resume()` until it is false, before
   * it gives it more records or calls `finish()` (C5). More records are right, but make it go on at once.
   */
  readonly isInterrupted: boolean;
  resume(): void;
  /** After the end of all inputs. Closes user functions. Resolves to what sinks prepared, by operator id. */
  finish(): Promise<Readonly<Record<string, readonly Committable[]>>>;
  /** The task failed or was cancelled: frees everything, closes user functions, removes what was prepared. Never rejects. */
  abort(): Promise<void>;
  /** Name of the operator that `error` came from; `null`: of none. Costs nothing until something fails. */
  failedOperator(error: unknown): string | null;
  /** Counters and collected values of user code, by name. */
  accumulators(): Readonly<Record<string, JsonValue>>;
  /** Metrics of user code that have a value now. */
  userMetrics(): readonly UserMetric[];
}

export interface ChainSource {
  readonly operatorId: string;
  addSplit(split: Split): void;
  noMoreSplits(): void;
  /**
   * Emits at most `maxRecords` records through the chain, fewer when the host asks it to yield. After
   * `end` the chain has emitted its end, once it is not interrupted.
   */
  poll(maxRecords: number): PollStatus;
  available(): Promise<void>;
}
