/** `streamHarness`: a few operators in a test, element by element. */
import type { DataStream } from '../api/data-stream.ts';
import type { StreamExecutionEnvironment } from '../api/environment.ts';
import { MAX_WATERMARK, NO_TIMESTAMP } from '../api/source.ts';
import type { TypeDescriptor } from '../api/types.ts';
import type { JsonValue } from '../contract/json.ts';
import { compileJob } from '../graph/compile.ts';
import type { CompiledJob } from '../graph/compile.ts';
import type { JobEdge, OperatorNode } from '../graph/job-graph.ts';
import { Partitioner } from '../graph/job-graph.ts';
import type { ElementConsumer } from '../runtime/stream/operators/element-consumer.ts';
import { CaptureSink, GivenSource, noSplits } from './capture.ts';
import type { Captured } from './capture.ts';
import { type Layout, layoutEdge } from './edge.ts';
import { LocalJob } from './local-job.ts';
import { ManualClock } from './manual-clock.ts';

export interface StreamHarnessOptions<T> {
  /** Of the elements that go in: needed by `keyBy('field')`. */
  readonly type?: TypeDescriptor<T>;
  /** Epoch milliseconds of processing time at the start. Default 0. */
  readonly startTime?: number;
  /** Where the tasks lie: each in a slot of its own (`encoded`), or all in one. Default `encoded`. */
  readonly layout?: Layout;
}

/** Operators that are open. Calls are synchronous: what goes in has come out when they return. */
export interface StreamHarness<T, R> {
  /** Processing time; moves when the test moves it. */
  readonly clock: ManualClock;
  /** @param timestamp epoch milliseconds; without it the element has none. */
  push(value: T, timestamp?: number): this;
  pushAll(values: Iterable<T>): this;
  /** No element with a timestamp at or below this one follows. */
  watermark(timestamp: number): this;
  /** The end of input: event time reaches its end, windows fire, operators finish. */
  end(): Promise<this>;
  /** What came out since the last call. */
  take(): R[];
  /** As `take`, each with its timestamp. */
  takeTimestamped(): Captured<R>[];
  /** The watermark that has come out; `NO_TIMESTAMP` before the first. */
  readonly currentWatermark: number;
  readonly lateRecordsDropped: number;
  /** Counters of user functions. */
  accumulators(): Readonly<Record<string, JsonValue>>;
}

/**
 * Opens the operators that `build` puts behind a stream.
 *
 *     const harness = await streamHarness<Trade, number>((trades) =>
 *       trades.keyBy((t) => t.symbol).window(TumblingEventTimeWindows.of('1m')).aggregate(volume));
 *     harness.push({ symbol: 'A', volume: 10 }, 0).watermark(60_000);
 *     expect(harness.take()).toEqual([10]);
 *
 * @throws ConfigError when what was built does not compile.
 */
export async function streamHarness<T, R>(
  build: (stream: DataStream<T>) => DataStream<R>,
  options: StreamHarnessOptions<T> = {},
): Promise<StreamHarness<T, R>> {
  const sink = new CaptureSink('harness');
  const source = new GivenSource(
    'harness',
    [],
    (options.type ?? null) as TypeDescriptor<unknown> | null,
  );
  const builder = (env: StreamExecutionEnvironment) => {
    build(env.fromSource(source) as DataStream<T>).sinkTo(sink);
  };
  const compiled = compileJob(
    { name: 'harness', args: null, builder },
    {},
    { bundleHash: '0'.repeat(64), parallelism: 1 },
  );
  const clock = new ManualClock(options.startTime ?? 0);
  const { job, sourceVertex } = withOpenInput(compiled);
  const layout = options.layout ?? 'encoded';
  const local = new LocalJob(job, {
    clock,
    layout,
    workingDirectory: process.cwd(),
    batchSize: 1,
    createEnumerator: async () => noSplits,
  });
  await local.open();
  const isSink = ({ kind }: OperatorNode) => kind === 'sink';
  const sinkVertex = compiled.graph.vertices.find((v) => v.operators.some(isSink))!.id;
  return new OpenHarness<T, R>(local, clock, sink, {
    input: layoutEdge(options.type ?? null, local.chainOf(sourceVertex).inputs[0]!, layout),
    sinkVertex,
  });
}

interface Ends {
  readonly input: ElementConsumer;
  readonly sinkVertex: string;
}

class OpenHarness<T, R> implements StreamHarness<T, R> {
  readonly clock: ManualClock;
  private readonly job: LocalJob;
  private readonly sink: CaptureSink;
  private readonly ends: Ends;

  constructor(job: LocalJob, clock: ManualClock, sink: CaptureSink, ends: Ends) {
    this.job = job;
    this.clock = clock;
    this.sink = sink;
    this.ends = ends;
  }

  push(value: T, timestamp: number = NO_TIMESTAMP): this {
    this.ends.input.record(value, timestamp);
    return this;
  }

  pushAll(values: Iterable<T>): this {
    for (const value of values) this.push(value);
    return this;
  }

  watermark(timestamp: number): this {
    this.ends.input.watermark(timestamp);
    return this;
  }

  async end(): Promise<this> {
    this.ends.input.watermark(MAX_WATERMARK);
    this.ends.input.end();
    await this.job.finish();
    return this;
  }

  take(): R[] {
    return this.takeTimestamped().map((record) => record.value);
  }

  takeTimestamped(): Captured<R>[] {
    return this.sink.records.splice(0) as Captured<R>[];
  }

  get currentWatermark(): number {
    return this.job.chainOf(this.ends.sinkVertex).currentWatermark;
  }

  get lateRecordsDropped(): number {
    return this.job.lateRecordsDropped();
  }

  accumulators(): Readonly<Record<string, JsonValue>> {
    return this.job.accumulators();
  }
}

/** The job with an edge from outside where its source was, so that the test is the one who emits. */
function withOpenInput(job: CompiledJob): { job: CompiledJob; sourceVertex: string } {
  const vertex = job.graph.vertices.find((v) => v.operators[0]?.kind === 'source');
  const head = vertex?.operators[0];
  const transformation = head && job.operators.get(head.id);
  if (!vertex || !head || !transformation) throw new Error('the harness finds its source no more');
  const edge: JobEdge = {
    id: `test->${head.id}#0`,
    sourceVertex: 'test',
    sourceOperator: 'test',
    targetVertex: vertex.id,
    targetOperator: head.id,
    input: 0,
    partitioner: Partitioner.forward,
    type: head.outputType,
    keyType: null,
  };
  const operators = new Map(job.operators);
  operators.set(head.id, {
    ...transformation,
    operation: { kind: 'map', fn: (value: unknown) => value },
  });
  const graph = { ...job.graph, edges: [...job.graph.edges, edge] };
  return { job: { ...job, graph, operators }, sourceVertex: vertex.id };
}
