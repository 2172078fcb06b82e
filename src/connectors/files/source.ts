/** Sources that read files: text, CSV, JSON Lines, Parquet. */
import { basename } from 'node:path';
import type { ReaderContext, Source, SourceReader } from '../../api/source.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type TypeDescriptor, type TypeShape, describeType, types } from '../../api/types.ts';
import { type OpenSplit, SplitReader } from '../split-reader.ts';
import { jsonConverter } from './convert.ts';
import { CsvParser } from './csv-parser.ts';
import { csvDialect } from './csv-dialect.ts';
import { csvConverter } from './csv-record.ts';
import { ParquetSplit, compileRow } from './parquet-split.ts';
import { LastParquetFile } from './parquet-open.ts';
import { LineParser } from './lines.ts';
import { type TextEncoding, textEncodings } from './text-encoding.ts';
import { TextSplit } from './text-split.ts';

export interface ReadOptions {
  /** A malformed record: fail the job, naming file and line, or skip and count it. Default `fail`. */
  readonly onError?: 'fail' | 'skip';
}

export interface TextReadOptions extends ReadOptions {
  /**
   * Of the text: `utf-8`, `utf-16le`, `utf-16be` or `latin1` (ISO 8859-1). Default: what the byte order mark of
   * a file says, or else UTF-8; a line that is no UTF-8 is malformed.
   */
  readonly encoding?: TextEncoding;
}

export interface CsvReadOptions extends TextReadOptions {
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
  format: JsonObject,
  type: TypeDescriptor<T>,
  createReader: (context: ReaderContext) => SourceReader<T>,
): Source<T> {
  return {
    name: basename(path) || path || 'files',
    type,
    boundedness: 'bounded',
    enumerator: { kind: 'files', options: { path, ...format } },
    createReader,
  };
}

function recordShape(type: TypeDescriptor<unknown>, what: string): RecordShape {
  if (type.kind === 'record') return type;
  throw new TypeError(`${what} needs a record type, not ${describeType(type)}`);
}

/** What the enumerator has to know of a text. @throws TypeError for an encoding that there is not. */
function textFormat({ encoding }: TextReadOptions, what: string): JsonObject {
  if (encoding === undefined) return {};
  if (textEncodings.includes(encoding)) return { encoding };
  const known = textEncodings.map((name) => `'${name}'`).join(', ');
  throw new TypeError(`${what}: there is no encoding '${encoding}', but ${known}`);
}

/**
 * `path`: a file, a folder (with everything below it that is not hidden) or a glob; relative to the working
 * directory. Also `~/…` and `file:///…`. Files that end with `.gz` or `.zst` are decompressed.
 */
export const FileSource = {
  /** Lines of text. */
  text(path: string, options: TextReadOptions = {}): Source<string> {
    const { encoding = null, onError = 'fail' } = options;
    const format = { format: 'lines', ...textFormat(options, 'FileSource.text') };
    return fileSource(
      path,
      format,
      types.string,
      ({ skipped }) =>
        new SplitReader(
          (split) =>
            new TextSplit(split, {
              createParser: () => new LineParser(),
              first: null,
              convert: ({ value }) => value,
              encoding,
              onError,
              skipped,
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
    const { encoding = null, onError = 'fail' } = options;
    const dialect = csvDialect(options, 'FileSource.csv');
    const header = options.header ?? true;
    const [first, ...others] = Object.values(shape.fields);
    const keepsBlank = others.length === 0 && first?.kind === 'optional';
    const width = keepsBlank && !header ? 1 : null;
    const { separator, quote } = dialect;
    const format = {
      format: 'csv',
      csv: { separator, ...(quote !== undefined && { quote }), keepsBlank, width },
      ...textFormat(options, 'FileSource.csv'),
    };
    return fileSource(
      path,
      format,
      type,
      ({ skipped }) =>
        new SplitReader((split) => {
          const convert = csvConverter<T>(shape, header);
          return new TextSplit(split, {
            createParser: (first, count) => {
              if (first !== null && header) convert(first);
              const columns = first?.value.fields.length ?? width;
              return new CsvParser({
                ...dialect,
                onError,
                skipped: count,
                keepsBlank,
                width: columns,
                isStart: first === null,
              });
            },
            first: header ? 'header' : 'record',
            convert,
            encoding,
            onError,
            skipped,
          });
        }),
    );
  },

  /** One JSON value a line; empty lines are passed over. */
  jsonl<T>(path: string, type: TypeDescriptor<T>, options: TextReadOptions = {}): Source<T> {
    const { encoding = null, onError = 'fail' } = options;
    const format = { format: 'lines', ...textFormat(options, 'FileSource.jsonl') };
    return fileSource(path, format, type, ({ skipped }) => {
      const convert = jsonConverter(type);
      return new SplitReader(
        (split) =>
          new TextSplit<string, T>(split, {
            createParser: () => new LineParser(),
            first: null,
            convert: ({ value }) => (value.trim() === '' ? undefined : convert(value)) as T,
            encoding,
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
    return fileSource(path, { format: 'parquet' }, type, ({ skipped }) => {
      const files = new LastParquetFile();
      return new SplitReader(
        (split): OpenSplit<T> =>
          new ParquetSplit(split, shape, makeRow, { files, onError, skipped }),
        () => files.close(),
      );
    });
  },
};
