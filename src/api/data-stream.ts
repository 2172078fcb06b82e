/**
 * Streams, with the names and meanings of Flink's DataStream API. Each call adds a node to the job.
 *
 * Over the usual length: each method has its overloads, and users read the streams beside each other.
 */
import type {
  AggregateFunction,
  FilterFunction,
  FlatMapFunction,
  KeySelector,
  MapFunction,
  ReduceFunction,
  RichFilterFunction,
  RichFlatMapFunction,
  RichFunction,
  RichMapFunction,
  RichReduceFunction,
  RichWindowFunction,
  WindowFunction,
} from './functions.ts';
import type { JobBuilder } from './job-builder.ts';
import { whyNoKey } from './keys.ts';
import { checkParallelism } from './parallelism.ts';
import { type UserFunction, isGivenAs, richOf, userFunction } from './rich-functions.ts';
import type { Sink } from './sink.ts';
import type {
  Keying,
  Operation,
  Transformation,
  TransformationInput,
  WindowOperation,
} from './transformations.ts';
import { type TypeDescriptor, type TypeShape, describeType } from './types.ts';
import type { WatermarkStrategy } from './watermarks.ts';
import { type WindowAssigner, durationMs } from './windows.ts';

export interface StreamOptions<R> {
  /** Type of the results. Without it they are encoded by msgpack: it works, slower. */
  readonly type?: TypeDescriptor<R>;
  readonly name?: string;
}

export interface AggregateOptions<A, R> extends StreamOptions<R> {
  /** Type of the accumulator, as state keeps it. Without it any value can be one. */
  readonly accumulator?: TypeDescriptor<A>;
}

type Partitioning = TransformationInput['partitioner'];

/** What every stream can say about the operator that makes it. */
class Node {
  protected readonly builder: JobBuilder;
  protected readonly transformation: Transformation;

  constructor(builder: JobBuilder, transformation: Transformation) {
    this.builder = builder;
    this.transformation = transformation;
  }

  /** Identifies the operator's state through all changes of the job. Unique in the job. */
  uid(uid: string): this {
    this.builder.assertBuilding(`uid('${uid}')`);
    if (typeof uid !== 'string' || uid === '')
      throw new TypeError('a uid is a text, and not an empty one');
    this.transformation.uid = uid;
    return this;
  }

  /** Shown in the UI, in logs and metrics. */
  name(name: string): this {
    this.builder.assertBuilding(`name('${name}')`);
    if (typeof name !== 'string' || name === '')
      throw new TypeError('a name is a text, and not an empty one');
    this.transformation.name = name;
    return this;
  }

  setParallelism(parallelism: number): this {
    this.builder.assertBuilding('setParallelism');
    checkParallelism(parallelism);
    if (
      parallelism !== 1 &&
      this.transformation.parallelism === 1 &&
      isAllWindow(this.transformation)
    ) {
      throw new Error('windowAll sees the whole stream: its parallelism is always 1');
    }
    this.transformation.parallelism = parallelism;
    return this;
  }

  /** The number of key groups; the job can never be rescaled above it. */
  setMaxParallelism(maxParallelism: number): this {
    this.builder.assertBuilding('setMaxParallelism');
    this.transformation.maxParallelism = checkParallelism(maxParallelism);
    return this;
  }
}

const isAllWindow = ({ operation }: Transformation) =>
  operation.kind === 'window' && operation.key === null;

export class DataStream<T> extends Node {
  readonly #partitioner: Partitioning;

  /** @internal */
  constructor(
    builder: JobBuilder,
    transformation: Transformation,
    partitioner: Partitioning = 'auto',
  ) {
    super(builder, transformation);
    this.#partitioner = partitioner;
  }

  map<R>(fn: MapFunction<T, R>, options?: StreamOptions<R>): DataStream<R>;
  map<R>(fn: RichMapFunction<T, R>, options?: StreamOptions<R>): DataStream<R>;
  map<R>(
    fn: MapFunction<T, R> | RichMapFunction<T, R>,
    options: StreamOptions<R> = {},
  ): DataStream<R> {
    const { rich, ...user } = userFunction<MapFunction<T, R>, 'map'>(fn, 'map');
    return this.#then<R>({ kind: 'map', ...user }, 'Map', null, options, rich);
  }

  flatMap<R>(fn: FlatMapFunction<T, R>, options?: StreamOptions<R>): DataStream<R>;
  flatMap<R>(fn: RichFlatMapFunction<T, R>, options?: StreamOptions<R>): DataStream<R>;
  flatMap<R>(
    fn: FlatMapFunction<T, R> | RichFlatMapFunction<T, R>,
    options: StreamOptions<R> = {},
  ): DataStream<R> {
    const { rich, ...user } = userFunction<FlatMapFunction<T, R>, 'flatMap'>(fn, 'flatMap');
    return this.#then<R>({ kind: 'flatMap', ...user }, 'Flat Map', null, options, rich);
  }

  filter(fn: FilterFunction<T>, options?: { readonly name?: string }): DataStream<T>;
  filter(fn: RichFilterFunction<T>, options?: { readonly name?: string }): DataStream<T>;
  filter(
    fn: FilterFunction<T> | RichFilterFunction<T>,
    options: { readonly name?: string } = {},
  ): DataStream<T> {
    const { rich, ...user } = userFunction<FilterFunction<T>, 'filter'>(fn, 'filter');
    const type = this.transformation.outputType;
    return this.#then<T>({ kind: 'filter', ...user }, 'Filter', type, options, rich);
  }

  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): DataStream<T> {
    return this.#then<T>(
      { kind: 'watermarks', strategy },
      'Timestamps/Watermarks',
      this.transformation.outputType,
      {},
    );
  }

  /**
   * @param key a function, or the name of a field of a record type. A function's key must be a string,
   *   number, bigint or boolean unless `type` says what it is.
   * @throws TypeError when keys of the type have no canonical encoding.
   */
  keyBy<K extends keyof T & string>(key: K): KeyedStream<T, T[K]>;
  keyBy<K>(
    key: KeySelector<T, K>,
    options?: { readonly type?: TypeDescriptor<K> },
  ): KeyedStream<T, K>;
  keyBy(
    key: string | KeySelector<T, unknown>,
    options: { readonly type?: TypeDescriptor<unknown> } = {},
  ): KeyedStream<T, unknown> {
    const keying: Keying =
      typeof key === 'string'
        ? fieldKey(key, this.transformation.outputType)
        : { selector: key, type: options.type ?? { kind: 'primitive' } };
    const why = whyNoKey(keying.type);
    if (why !== null) {
      throw new TypeError(
        `keyBy after '${this.transformation.name}': a ${describeType(keying.type)} cannot be a key, ${why}`,
      );
    }
    return new KeyedStream(this.builder, this.transformation, keying);
  }

  /** Windows over the whole stream, in one subtask. */
  windowAll(assigner: WindowAssigner): WindowedStream<T, null> {
    return new WindowedStream<T, null>(this.builder, this.#input(), assigner, null);
  }

  /** Spreads records evenly over the subtasks of what follows. */
  rebalance(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'rebalance');
  }

  /** Spreads records evenly over those subtasks of what follows that are near: fewer connections. */
  rescale(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'rescale');
  }

  /** Sends every record to a random subtask of what follows. */
  shuffle(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'shuffle');
  }

  /** Keeps records in the subtask with the same index. What follows must have the same parallelism. */
  forward(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'forward');
  }

  /** Sends every record to every subtask of what follows. */
  broadcast(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'broadcast');
  }

  /** Sends every record to the first subtask of what follows. */
  global(): DataStream<T> {
    return new DataStream(this.builder, this.transformation, 'global');
  }

  sinkTo(sink: Sink<T>): DataStreamSink {
    const stream = this.#then<T>({ kind: 'sink', sink }, `Sink: ${sink.name}`, null, {});
    return new DataStreamSink(this.builder, stream.transformation);
  }

  #input(): TransformationInput {
    return { from: this.transformation, partitioner: this.#partitioner, key: null };
  }

  #then<R>(
    operation: Operation,
    name: string,
    type: TypeShape | null,
    options: StreamOptions<R>,
    rich: readonly RichFunction[] = [],
  ): DataStream<R> {
    const inputs = [this.#input()];
    return addTo<R>(this.builder, { operation, inputs, name, type, rich }, options);
  }
}

export class DataStreamSink extends Node {}

interface NewNode {
  readonly operation: Operation;
  readonly inputs: readonly TransformationInput[];
  /** Unless the options say another. */
  readonly name: string;
  readonly type: TypeShape | null;
  readonly rich: readonly RichFunction[];
}

function addTo<R>(builder: JobBuilder, node: NewNode, options: StreamOptions<R>): DataStream<R> {
  const { operation, inputs, name, type, rich } = node;
  return new DataStream<R>(
    builder,
    builder.add(operation, inputs, options.name ?? name, options.type ?? type, rich),
  );
}

function fieldKey(name: string, type: TypeShape | null): Keying {
  if (type?.kind !== 'record') {
    throw new TypeError(
      `keyBy('${name}') needs a stream of a declared record type; use keyBy(x => x.${name})`,
    );
  }
  const field = type.fields[name];
  if (!field)
    throw new TypeError(
      `keyBy('${name}'): the record has only ${Object.keys(type.fields).join(', ')}`,
    );
  return { selector: (value: Record<string, unknown>) => value[name], type: field };
}

export class KeyedStream<T, K> {
  readonly #builder: JobBuilder;
  readonly #from: Transformation;
  readonly #keying: Keying;

  /** @internal */
  constructor(builder: JobBuilder, from: Transformation, keying: Keying) {
    this.#builder = builder;
    this.#from = from;
    this.#keying = keying;
  }

  /** Rolling: for every element the reduced value of its key so far. */
  reduce(fn: ReduceFunction<T>, options?: { readonly name?: string }): DataStream<T>;
  reduce(fn: RichReduceFunction<T>, options?: { readonly name?: string }): DataStream<T>;
  reduce(
    fn: ReduceFunction<T> | RichReduceFunction<T>,
    options: { readonly name?: string } = {},
  ): DataStream<T> {
    const { rich, ...user } = userFunction<ReduceFunction<T>, 'reduce'>(fn, 'reduce');
    const operation = { kind: 'reduce', ...user, key: this.#keying } as const;
    const node = {
      operation,
      inputs: [this.#input()],
      name: 'Keyed Reduce',
      type: this.#from.outputType,
      rich,
    };
    return addTo<T>(this.#builder, node, options);
  }

  window(assigner: WindowAssigner): WindowedStream<T, K> {
    return new WindowedStream<T, K>(this.#builder, this.#input(), assigner, this.#keying);
  }

  #input(): TransformationInput {
    return { from: this.#from, partitioner: 'hash', key: this.#keying };
  }
}

export class WindowedStream<T, K> {
  readonly #builder: JobBuilder;
  readonly #input: TransformationInput;
  readonly #assigner: WindowAssigner;
  readonly #key: Keying | null;
  #allowedLatenessMs = 0;

  /** @internal */
  constructor(
    builder: JobBuilder,
    input: TransformationInput,
    assigner: WindowAssigner,
    key: Keying | null,
  ) {
    this.#builder = builder;
    this.#input = input;
    this.#assigner = assigner;
    this.#key = key;
  }

  /** A window is kept, and fires again for late elements, until the watermark is this far behind its end. */
  allowedLateness(lateness: string | number): this {
    this.#allowedLatenessMs = durationMs(lateness);
    return this;
  }

  reduce(fn: ReduceFunction<T>, options?: StreamOptions<T>): DataStream<T>;
  reduce(fn: RichReduceFunction<T>, options?: StreamOptions<T>): DataStream<T>;
  reduce<R>(
    fn: ReduceFunction<T>,
    window: WindowFunction<T, R, K>,
    options?: StreamOptions<R>,
  ): DataStream<R>;
  reduce<R>(
    fn: ReduceFunction<T>,
    window: RichWindowFunction<T, R, K>,
    options?: StreamOptions<R>,
  ): DataStream<R>;
  reduce<R>(
    fn: RichReduceFunction<T>,
    window: WindowFunction<T, R, K>,
    options?: StreamOptions<R>,
  ): DataStream<R>;
  reduce<R>(
    fn: RichReduceFunction<T>,
    window: RichWindowFunction<T, R, K>,
    options?: StreamOptions<R>,
  ): DataStream<R>;
  reduce(
    fn: ReduceFunction<T> | RichReduceFunction<T>,
    second?: AnyWindowFunction<T, unknown, K> | StreamOptions<T>,
    third?: StreamOptions<unknown>,
  ): DataStream<unknown> {
    const [window, options] = split<T, unknown, K>(second, third);
    const type = window === null ? this.#input.from.outputType : null;
    const { rich, ...user } = userFunction<ReduceFunction<T>, 'reduce'>(fn, 'reduce');
    // Without a window function what is kept is the result, which is checked as all results are.
    const kept = window === null ? null : this.#input.from.outputType;
    return this.#add({ kind: 'reduce', ...user, type: kept }, { window, type, rich }, options);
  }

  aggregate<A, V, R>(
    fn: AggregateFunction<T, A, V>,
    window: WindowFunction<V, R, K>,
    options?: AggregateOptions<A, R>,
  ): DataStream<R>;
  aggregate<A, V, R>(
    fn: AggregateFunction<T, A, V>,
    window: RichWindowFunction<V, R, K>,
    options?: AggregateOptions<A, R>,
  ): DataStream<R>;
  aggregate<A, R>(fn: AggregateFunction<T, A, R>, options?: AggregateOptions<A, R>): DataStream<R>;
  aggregate(
    fn: AggregateFunction<T, any, any>, // oxlint-disable-line typescript/no-explicit-any
    second?: AnyWindowFunction<any, any, K> | AggregateOptions<any, any>, // oxlint-disable-line typescript/no-explicit-any
    third?: AggregateOptions<any, any>, // oxlint-disable-line typescript/no-explicit-any
  ): DataStream<unknown> {
    const [window, options] = split<unknown, unknown, K, AggregateOptions<unknown, unknown>>(
      second,
      third,
    );
    const results = { window, type: null, rich: richOf(fn) };
    const contents = { kind: 'aggregate', fn, type: options.accumulator ?? null } as const;
    return this.#add(contents, results, options);
  }

  /** Keeps all elements of a window and gives them to the function when it fires. */
  apply<R>(fn: WindowFunction<T, R, K>, options?: StreamOptions<R>): DataStream<R>;
  apply<R>(fn: RichWindowFunction<T, R, K>, options?: StreamOptions<R>): DataStream<R>;
  apply<R>(fn: AnyWindowFunction<T, R, K>, options: StreamOptions<R> = {}): DataStream<R> {
    const window = userFunction<WindowFunction<T, R, K>, 'process'>(fn, 'process');
    const results = { window, type: null, rich: [] };
    return this.#add({ kind: 'elements' }, results, options) as DataStream<R>;
  }

  #add(
    contents: WindowOperation['contents'],
    results: WindowResults,
    options: StreamOptions<unknown>,
  ): DataStream<unknown> {
    const operation: WindowOperation = {
      kind: 'window',
      assigner: this.#assigner,
      allowedLatenessMs: this.#allowedLatenessMs,
      key: this.#key,
      contents,
      windowFunction: results.window?.fn ?? null,
    };
    const name = `${this.#key === null ? 'WindowAll' : 'Window'}(${describeAssigner(this.#assigner)})`;
    const input: TransformationInput =
      this.#key === null && this.#input.partitioner === 'auto'
        ? { ...this.#input, partitioner: 'global' }
        : this.#input;
    const rich = [...results.rich, ...(results.window?.rich ?? [])];
    const node = { operation, inputs: [input], name, type: results.type, rich };
    const stream = addTo<unknown>(this.#builder, node, options);
    return this.#key === null ? stream.setParallelism(1) : stream;
  }
}

type AnyWindowFunction<V, R, K> = WindowFunction<V, R, K> | RichWindowFunction<V, R, K>;

/** How the results of a window are made of its contents. */
interface WindowResults {
  readonly window: UserFunction<WindowFunction<any, any, any>> | null; // oxlint-disable-line typescript/no-explicit-any
  /** Of the results, unless the options say another. */
  readonly type: TypeShape | null;
  /** Of the contents. */
  readonly rich: readonly RichFunction[];
}

function split<V, R, K, O extends StreamOptions<R> = StreamOptions<R>>(
  second: AnyWindowFunction<V, R, K> | O | undefined,
  third: O | undefined,
): [UserFunction<WindowFunction<V, R, K>> | null, O] {
  if (typeof second !== 'function' && !isGivenAs(second, 'process')) {
    return [null, (second as O | undefined) ?? ({} as O)];
  }
  const given = second as AnyWindowFunction<V, R, K>;
  return [userFunction<WindowFunction<V, R, K>, 'process'>(given, 'process'), third ?? ({} as O)];
}

function describeAssigner(assigner: WindowAssigner): string {
  if (assigner.kind === 'end-of-stream') return 'EndOfStreamWindows';
  const offset = assigner.offsetMs === 0 ? '' : `, ${describeDuration(assigner.offsetMs)}`;
  return `TumblingEventTimeWindows(${describeDuration(assigner.sizeMs)}${offset})`;
}

const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** In the largest unit that leaves a whole number: `1d`, `90min`, `1500ms`. */
function describeDuration(ms: number): string {
  const unit = durationUnits.find(([, size]) => ms % size === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms}ms`;
}
