export { type CsvReadOptions, FileSource, type ReadOptions } from './source.ts';
export { type ColumnFormat, type CsvWriteOptions, FileSink } from './sink.ts';
