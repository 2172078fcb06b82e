/** Sources that read files: text, CSV, JSON Lines (a split a file), Parquet (a split a row group). */
import { basename } from 'node:path';
import type { ReaderContext, Source, SourceReader } from '../../api/source.ts';
import { type TypeDescriptor, type TypeShape, describeType, types } from '../../api/types.ts';
import { type OpenSplit, SplitReader } from '../split-reader.ts';
import { textConverter, valueConverter } from './convert.ts';
import { ParquetSplit, compileRow } from './parquet-split.ts';
import { CsvParser, LineParser } from './parsers.ts';
import { FatalInputError, type Item, TextSplit } from './text-split.ts';

export interface ReadOptions {
  /** A malformed record: fail the job, naming file and line, or skip and count it. Default `fail`. */
  readonly onError?: 'fail' | 'skip';
}

export interface CsvReadOptions extends ReadOptions {
  /** Whether the first line names the columns. Without it the columns are the fields, in order. Default true. */
  readonly header?: boolean;
  /** Default `,`. */
  readonly separator?: string;
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

  /** Rows of CSV as records of `type`. A row that is not as wide as the header is malformed. */
  csv<T>(path: string, type: TypeDescriptor<T>, options: CsvReadOptions = {}): Source<T> {
    const shape = recordShape(type, 'FileSource.csv');
    const { onError = 'fail', separator = ',' } = options;
    return fileSource(
      path,
      'lines',
      type,
      ({ skipped }) =>
        new SplitReader((split) => {
          const parser = new CsvParser({ separator, onError, skipped });
          const convert = csvConverter<T>(shape, options.header ?? true);
          return new TextSplit(split, { parser, convert, onError, skipped });
        }),
    );
  },

  /** One JSON value a line; empty lines are passed over. */
  jsonl<T>(path: string, type: TypeDescriptor<T>, options: ReadOptions = {}): Source<T> {
    const convert = valueConverter(type);
    const { onError = 'fail' } = options;
    return fileSource(
      path,
      'lines',
      type,
      ({ skipped }) =>
        new SplitReader(
          (split) =>
            new TextSplit<string, T>(split, {
              parser: new LineParser(),
              convert: ({ value }) => (value === '' ? undefined : convert(JSON.parse(value))) as T,
              onError,
              skipped,
            }),
        ),
    );
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

/** Reads over the header, and finds by it which column is which field. */
function csvConverter<T>(type: RecordShape, header: boolean): (item: Item<string[]>) => T {
  const fields = Object.entries(type.fields).map(([name, field], index) => ({
    name,
    optional: field.kind === 'optional',
    convert: textConverter(field),
    column: index,
  }));
  let width: number | null = null;
  return ({ value: row }) => {
    if (header && width === null) {
      width = row.length;
      for (const field of fields) {
        field.column = row.indexOf(field.name);
        if (field.column < 0 && !field.optional) {
          throw new FatalInputError(
            `the header has no column '${field.name}'; it has ${row.join(', ')}`,
          );
        }
      }
      return undefined as T;
    }
    if (width !== null && row.length !== width) {
      throw new TypeError(`the row has ${row.length} columns, the header ${width}`);
    }
    const record: Record<string, unknown> = {};
    for (const { name, convert, column, optional } of fields) {
      const text = row[column];
      if (text === undefined) {
        if (optional) continue;
        throw new TypeError(`column '${name}' is missing: the row has ${row.length} columns`);
      }
      try {
        const value = convert(text);
        if (value !== undefined) record[name] = value;
      } catch (error) {
        throw new TypeError(`column '${name}': ${(error as Error).message}`);
      }
    }
    return record as T;
  };
}
