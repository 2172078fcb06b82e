/** What an application imports as `fctl`. The only file of this folder that knows the connectors. */
export {
  type ApplicationContext,
  type JobDefinition,
  JobExecutionError,
  type JobHandle,
  type JobResult,
  defineJob,
} from './job.ts';
export { type TypeDescriptor, type TypeOf, types } from './types.ts';
export type { SourceOptions, StreamExecutionEnvironment } from './environment.ts';
export type {
  AggregateOptions,
  DataStream,
  DataStreamSink,
  KeyedStream,
  StreamOptions,
  WindowedStream,
} from './data-stream.ts';
export type {
  AggregateFunction,
  Collector,
  Counter,
  DistributedCache,
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
  RuntimeContext,
  TimeWindow,
  WindowFunction,
} from './functions.ts';
export type { Histogram, Meter, MetricCounter, MetricGroup } from './metrics.ts';
export { EndOfStreamWindows, TumblingEventTimeWindows, type WindowAssigner } from './windows.ts';
export {
  type WatermarkOptions,
  type WatermarkStrategy,
  boundedOutOfOrderness,
  monotonousTimestamps,
} from './watermarks.ts';
export {
  type EnumeratorSpec,
  MAX_WATERMARK,
  NO_TIMESTAMP,
  PollStatus,
  type ReaderContext,
  type Source,
  type SourceOutput,
  type SourceReader,
  type Split,
} from './source.ts';
export type { Committable, CommitterSpec, Sink, SinkWriter, WriterContext } from './sink.ts';
export { CollectionSource } from '../connectors/collection/index.ts';
export { GeneratorSource } from '../connectors/generator/index.ts';
export {
  type ColumnFormat,
  type CsvReadOptions,
  type CsvWriteOptions,
  FileSink,
  FileSource,
  type ReadOptions,
} from '../connectors/files/index.ts';
export { PrintSink } from '../connectors/print/index.ts';
export { DiscardSink } from '../connectors/discard/index.ts';
export { CollectSink } from '../connectors/collect/index.ts';
