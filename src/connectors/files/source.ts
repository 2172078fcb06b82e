/** Sources that read files: text, CSV, JSON Lines (a split a file), Parquet (a split a row group). */
import { basename } from 'node:path';
import type { ReaderContext, Source, SourceReader } from '../../api/source.ts';
import { type TypeDescriptor, type TypeShape, describeType, types } from '../../api/types.ts';
import { type OpenSplit, SplitReader } from '../split-reader.ts';
import { jsonConverter } from './convert.ts';
import { CsvParser } from './csv-parser.ts';
import { csvDialect } from './csv-dialect.ts';
import { csvConverter } from './csv-record.ts';
import { ParquetSplit, compileRow } from './parquet-split.ts';
import { LineParser } from './parsers.ts';
import { TextSplit } from './text-split.ts';

export interface ReadOptions {
  /** A malformed record: fail the job, naming file and line, or skip and count it. Default `fail`. */
  readonly onError?: 'fail' | 'skip';
}

export interface CsvReadOptions extends ReadOptions {
  /** Whether the first line names the columns. Without it the columns are the fields, in order. Default true. */
  readonly header?: boolean;
  /** Default `,`. */
  readonly separator?: string;
  /**
   * What encloses fields that hold separators, line breaks or itself, doubled; `null`: nothing does, quotes are
   * letters like any other. Default `"`. In files separated by tabs, where quotes are mostly data, the default
   * joins no lines that are rows by themselves.
   */
  readonly quote?: string | null;
}

type RecordShape = Extract<TypeShape, { kind: 'record' }>;

function fileSource<T>(
  path: string,
  format: 'lines' | 'parquet',
  type: TypeDescriptor<T>,
  createReader: (context: ReaderContext) => SourceReader<T>,
): Source<T> {
  return {
    name: basename(path) || path,
    type,
    boundedness: 'bounded',
    enumerator: { kind: 'files', options: { path, format } },
    createReader,
  };
}

function recordShape(type: TypeDescriptor<unknown>, what: string): RecordShape {
  if (type.kind === 'record') return type;
  throw new TypeError(`${what} needs a record type, not ${describeType(type)}`);
}

/** `path`: a file, a folder (its files that are not hidden) or a glob; relative to the working directory. */
export const FileSource = {
  /** Lines of text. */
  text(path: string): Source<string> {
    return fileSource(
      path,
      'lines',
      types.string,
      (context) =>
        new SplitReader(
          (split) =>
            new TextSplit(split, {
              parser: new LineParser(),
              convert: ({ value }) => value,
              onError: 'fail',
              skipped: context.skipped,
            }),
        ),
    );
  },

  /**
   * Rows of CSV as records of `type`. A row that is not as wide as the header is malformed. Fields that are
   * lists, maps or records are JSON.
   */
  csv<T>(path: string, type: TypeDescriptor<T>, options: CsvReadOptions = {}): Source<T> {
    const shape = recordShape(type, 'FileSource.csv');
    const { onError = 'fail' } = options;
    const dialect = csvDialect(options, 'FileSource.csv');
    const header = options.header ?? true;
    const [first, ...others] = Object.values(shape.fields);
    const keepsBlank = others.length === 0 && first?.kind === 'optional';
    const width = keepsBlank && !header ? 1 : null;
    return fileSource(
      path,
      'lines',
      type,
      ({ skipped }) =>
        new SplitReader((split) => {
          const parser = new CsvParser({ ...dialect, onError, skipped, keepsBlank, width });
          const convert = csvConverter<T>(shape, header);
          return new TextSplit(split, { parser, convert, onError, skipped });
        }),
    );
  },

  /** One JSON value a line; empty lines are passed over. */
  jsonl<T>(path: string, type: TypeDescriptor<T>, options: ReadOptions = {}): Source<T> {
    const { onError = 'fail' } = options;
    return fileSource(path, 'lines', type, ({ skipped }) => {
      const convert = jsonConverter(type);
      return new SplitReader(
        (split) =>
          new TextSplit<string, T>(split, {
            parser: new LineParser(),
            convert: ({ value }) => (value.trim() === '' ? undefined : convert(value)) as T,
            onError,
            skipped,
          }),
      );
    });
  },

  /**
   * Rows of Parquet as records of `type`: only its columns are read. Row groups are handed out in ascending
   * order, so that parallel readers of a sorted file stay close in event time.
   */
  parquet<T>(path: string, type: TypeDescriptor<T>, options: ReadOptions = {}): Source<T> {
    const shape = recordShape(type, 'FileSource.parquet');
    const { onError = 'fail' } = options;
    const makeRow = compileRow<T>(shape);
    return fileSource(
      path,
      'parquet',
      type,
      ({ skipped }) =>
        new SplitReader(
          (split): OpenSplit<T> => new ParquetSplit(split, shape, makeRow, { onError, skipped }),
        ),
    );
  },
};
