/**
 * Sinks that write files. A job's part files appear together, complete, when the job has finished, in
 * place of those of the run before; a job that fails or is cancelled leaves the old ones. What readers of
 * the folder see meanwhile, and after a crash, is said in committer.ts.
 */
import type { Sink } from '../../api/sink.ts';
import type { TypeDescriptor } from '../../api/types.ts';
import { formatValue, toJson } from '../format-value.ts';
import { PartWriter, type PartFormat } from './writer.ts';

/**
 * How a column is written: a number of decimals (halves away from zero, as SQL rounds), `date` (YYYY-MM-DD),
 * `time` (ISO 8601), or a function.
 */
export type ColumnFormat = number | 'date' | 'time' | ((value: any) => string); // oxlint-disable-line typescript/no-explicit-any

export interface CsvWriteOptions<T> {
  /** Fields in the order of columns. Default: those of `type`. */
  readonly columns?: readonly (keyof T & string)[];
  readonly type?: TypeDescriptor<T>;
  readonly format?: { readonly [K in keyof T]?: ColumnFormat };
  /** Default true. */
  readonly header?: boolean;
  /** Default `,`. */
  readonly separator?: string;
}

function fileSink<T>(
  path: string,
  suffix: string,
  emptyPart: string,
  format: () => PartFormat<T>,
): Sink<T> {
  return {
    name: path,
    committer: { kind: 'files', options: { path, suffix, emptyPart } },
    createWriter: (context) => new PartWriter<T>(path, format(), context),
  };
}

/** `path`: the output folder; relative to the working directory. */
export const FileSink = {
  /** One line a record. */
  text<T>(path: string): Sink<T> {
    return fileSink<T>(path, '.txt', '', () => ({
      suffix: '.txt',
      header: '',
      format: (value) => `${formatValue(value)}\n`,
    }));
  },

  /** One JSON value a line. */
  jsonl<T>(path: string): Sink<T> {
    return fileSink<T>(path, '.jsonl', '', () => ({
      suffix: '.jsonl',
      header: '',
      format: (value) => `${toJson(value)}\n`,
    }));
  },

  /** CSV (RFC 4180, with LF). @throws TypeError when the columns are not known and no type tells them. */
  csv<T extends object>(path: string, options: CsvWriteOptions<T>): Sink<T> {
    const { header = true, separator = ',', format = {} } = options;
    const columns = options.columns ?? columnsOf(options.type);
    const quote = quoting(separator);
    const formats = columns.map((column) =>
      cellFormat((format as Record<string, ColumnFormat>)[column]),
    );
    const head = header ? `${columns.map(quote).join(separator)}\n` : '';
    return fileSink<T>(path, '.csv', head, () => ({
      suffix: '.csv',
      header: head,
      format: (value) => {
        let line = '';
        for (let i = 0; i < columns.length; i++) {
          if (i > 0) line += separator;
          line += quote(formats[i]!((value as Record<string, unknown>)[columns[i]!]));
        }
        // Readers pass over empty lines.
        return line === '' ? '""\n' : `${line}\n`;
      },
    }));
  },
};

function columnsOf(type: TypeDescriptor<unknown> | undefined): readonly string[] {
  if (type?.kind === 'record') return Object.keys(type.fields);
  throw new TypeError(
    'FileSink.csv needs `columns`, or the record `type` that they are the fields of',
  );
}

function quoting(separator: string): (text: string) => string {
  const special = new RegExp(`["\\r\\n\\uFEFF${separator.replace(/[\\\]^-]/g, String.raw`\$&`)}]`);
  return (text) => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
}

function cellFormat(format: ColumnFormat | undefined): (value: unknown) => string {
  if (typeof format === 'function') return format;
  if (typeof format === 'number') return (value) => fixed(Number(value), format);
  if (format === 'date') return (value) => new Date(value as number).toISOString().slice(0, 10);
  if (format === 'time') return (value) => new Date(value as number).toISOString();
  return (value) => (value === undefined || value === null ? '' : formatValue(value));
}

/**
 * Rounds the decimal number that one reads, not the binary one nearest to it: 9.9125 becomes 9.913, also
 * though the double is a little below. No `-0.000`.
 */
function fixed(value: number, decimals: number): string {
  const shortest = String(value);
  const point = shortest.indexOf('.');
  const isHalf = point >= 0 && shortest.length === point + decimals + 2 && shortest.endsWith('5');
  // The next double or the one after it: beyond the half for sure.
  const text = (isHalf ? value * (1 + Number.EPSILON) : value).toFixed(decimals);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}
