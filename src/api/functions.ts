/**
 * The functions that users write. All are synchronous. Each can be given as a function, or as an object that
 * has it as a method, beside `open` and `close`: Flink's Rich functions.
 */
import type { MetricGroup } from './metrics.ts';

/** What a user function may know and do beside its arguments. The same object for every call of an operator. */
export interface RuntimeContext {
  readonly jobId: string;
  /** `Source: flights -> Map (1/2)` */
  readonly taskName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly attempt: number;
  /** A named counter; summed over subtasks in the job's accumulators. Same name, same counter. */
  counter(name: string): Counter;
  readonly distributedCache: DistributedCache;
  /** Metrics of this operator, beside those that every operator has. */
  getMetricGroup(): MetricGroup;
}

/** Files that `env.registerCachedFile` brought to this machine. */
export interface DistributedCache {
  /**
   * @returns the absolute path of a copy of the file. Other tasks read the same one: do not change it.
   * @throws Error when the job has registered no file of that name.
   */
  getFile(name: string): string;
}

export interface Counter {
  add(amount?: number): void;
}

export interface Collector<T> {
  collect(value: T): void;
}

/**
 * What a function that is given as an object may have. Each subtask calls them on the object that its own run of
 * the builder made; an object with one of them belongs to one operator.
 */
export interface RichFunction {
  /** Before the first record. What it throws, or rejects with, fails the job. */
  open?(context: RuntimeContext): void | Promise<void>;
  /**
   * Once, after the last record, and when the job fails or is cancelled, also when `open` failed. After the last record an error in it fails the job; otherwise it is logged. It does
   * not run when a subtask is killed: for its memory, or because a function of it did not return.
   */
  close?(): void | Promise<void>;
}

export interface RichMapFunction<T, R> extends RichFunction {
  map(value: T, context: RuntimeContext): R;
}

export interface RichFlatMapFunction<T, R> extends RichFunction {
  flatMap(value: T, out: Collector<R>, context: RuntimeContext): void;
}

export interface RichFilterFunction<T> extends RichFunction {
  filter(value: T, context: RuntimeContext): boolean;
}

export interface RichReduceFunction<T> extends RichFunction {
  reduce(a: T, b: T): T;
}

/** As Flink's ProcessWindowFunction. */
export interface RichWindowFunction<T, R, K> extends RichFunction {
  process(
    key: K,
    window: TimeWindow,
    values: Iterable<T>,
    out: Collector<R>,
    context: RuntimeContext,
  ): void;
}

export type MapFunction<T, R> = (value: T, context: RuntimeContext) => R;
export type FlatMapFunction<T, R> = (value: T, out: Collector<R>, context: RuntimeContext) => void;
export type FilterFunction<T> = (value: T, context: RuntimeContext) => boolean;
export type ReduceFunction<T> = (a: T, b: T) => T;
export type KeySelector<T, K> = (value: T) => K;

/** Flink's AggregateFunction: incremental, so that a window keeps one accumulator a key. */
export interface AggregateFunction<T, A, R> extends RichFunction {
  createAccumulator(): A;
  /** May change and return `accumulator`. */
  add(value: T, accumulator: A): A;
  getResult(accumulator: A): R;
  merge(a: A, b: A): A;
}

export interface TimeWindow {
  /** Inclusive, epoch milliseconds. `-Infinity` for a window over the whole stream. */
  readonly start: number;
  /** Exclusive. `Infinity` for a window over the whole stream. */
  readonly end: number;
}

/** Turns what a window holds into results; sees key and window. Emits through `out`. */
export type WindowFunction<T, R, K> = (
  key: K,
  window: TimeWindow,
  values: Iterable<T>,
  out: Collector<R>,
  context: RuntimeContext,
) => void;
