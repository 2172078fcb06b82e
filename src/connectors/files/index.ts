export {
  type CsvReadOptions,
  FileSource,
  type ReadOptions,
  type TextReadOptions,
} from './source.ts';
export type { ColumnFormat, CsvWriteOptions } from './csv-format.ts';
export { FileSink, type JsonWriteOptions } from './sink.ts';
