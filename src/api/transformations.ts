/**
 * What a job builder made, node by node: user functions and their wiring, before chaining. `src/graph`
 * turns it into a JobGraph; `src/runtime/operators` makes operators of the nodes.
 */
import type {
  AggregateFunction,
  FilterFunction,
  FlatMapFunction,
  KeySelector,
  MapFunction,
  ReduceFunction,
  RichFunction,
  WindowFunction,
} from './functions.ts';
import type { Sink } from './sink.ts';
import type { Source } from './source.ts';
import type { TypeDescriptor } from './types.ts';
import type { WatermarkStrategy } from './watermarks.ts';
import type { WindowAssigner } from './windows.ts';

// User functions of any element type meet in these nodes; the types are checked in DataStream.
// oxlint-disable typescript/no-explicit-any

export type Operation =
  | {
      readonly kind: 'source';
      readonly source: Source<any>;
      readonly watermarks: WatermarkStrategy<any> | null;
    }
  | { readonly kind: 'map'; readonly fn: MapFunction<any, any> }
  | { readonly kind: 'flatMap'; readonly fn: FlatMapFunction<any, any> }
  | { readonly kind: 'filter'; readonly fn: FilterFunction<any> }
  | { readonly kind: 'watermarks'; readonly strategy: WatermarkStrategy<any> }
  /** Rolling, keyed: emits the new value for every element. */
  | { readonly kind: 'reduce'; readonly fn: ReduceFunction<any>; readonly key: Keying }
  | WindowOperation
  | { readonly kind: 'sink'; readonly sink: Sink<any> };

export interface WindowOperation {
  readonly kind: 'window';
  readonly assigner: WindowAssigner;
  readonly allowedLatenessMs: number;
  /** `null`: `windowAll`; parallelism 1, the key given to a window function is `null`. */
  readonly key: Keying | null;
  /** What is kept per key and window: one accumulator, one reduced value, or all elements. */
  readonly contents:
    | {
        readonly kind: 'aggregate';
        readonly fn: AggregateFunction<any, any, any>;
        /** Of the accumulator; absent: none is declared. */
        readonly type?: TypeDescriptor<any> | null;
      }
    | {
        readonly kind: 'reduce';
        readonly fn: ReduceFunction<any>;
        /** Of the reduced value that a window function gets: that of the elements. */
        readonly type?: TypeDescriptor<any> | null;
      }
    | { readonly kind: 'elements' };
  /** Sees key, window and contents; `null`: the aggregated value itself is the result. */
  readonly windowFunction: WindowFunction<any, any, any> | null;
}

export interface Keying {
  readonly selector: KeySelector<any, any>;
  readonly type: TypeDescriptor<any>;
}

export interface Transformation {
  /** 0-based, in order of creation: the same in every process that runs the builder. */
  readonly id: number;
  readonly operation: Operation;
  readonly inputs: readonly TransformationInput[];
  /** What is opened before its functions are called, in this order, and closed in the other one at the end. */
  readonly rich: readonly RichFunction[];
  name: string;
  uid: string | null;
  /** `null`: the job's default. */
  parallelism: number | null;
  /** Flink's maximum parallelism; `null`: derived from the parallelism. */
  maxParallelism: number | null;
  outputType: TypeDescriptor<any> | null;
}

export interface TransformationInput {
  readonly from: Transformation;
  /** `auto`: forward where parallelisms agree, else rebalance. */
  readonly partitioner:
    | 'auto'
    | 'forward'
    | 'hash'
    | 'rebalance'
    | 'rescale'
    | 'shuffle'
    | 'broadcast'
    | 'global';
  /** Given with `hash`. */
  readonly key: Keying | null;
}
