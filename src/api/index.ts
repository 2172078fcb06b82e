/** What an application imports: `import { … } from 'fctl'`. */
export { CollectSink } from '../connectors/collect/index.ts';
export { CollectionSource } from '../connectors/collection/index.ts';
export { DiscardSink } from '../connectors/discard/index.ts';
export { GeneratorSource } from '../connectors/generator/index.ts';
export { PrintSink } from '../connectors/print/index.ts';
export type { DataStream, DataStreamSink, KeyedStream, StreamOptions, WindowedStream } from './data-stream.ts';
export type { SourceOptions, StreamExecutionEnvironment } from './environment.ts';
export type {
  AggregateFunction,
  Collector,
  Counter,
  FilterFunction,
  FlatMapFunction,
  KeySelector,
  MapFunction,
  ReduceFunction,
  RuntimeContext,
  TimeWindow,
  WindowFunction,
} from './functions.ts';
export { defineJob } from './job.ts';
export type { ApplicationContext, JobDefinition, JobHandle, JobResult } from './job.ts';
export type { Committable, CommitterSpec, Sink, SinkWriter, WriterContext } from './sink.ts';
export { MAX_WATERMARK, NO_TIMESTAMP, PollStatus } from './source.ts';
export type { EnumeratorSpec, ReaderContext, Source, SourceOutput, SourceReader, Split } from './source.ts';
export { types } from './types.ts';
export type { TypeDescriptor, TypeOf } from './types.ts';
export { boundedOutOfOrderness, monotonousTimestamps } from './watermarks.ts';
export type { WatermarkOptions, WatermarkStrategy } from './watermarks.ts';
export { EndOfStreamWindows, TumblingEventTimeWindows } from './windows.ts';
export type { WindowAssigner } from './windows.ts';
