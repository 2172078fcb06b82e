/** Records → rows of CSV that FileSource.csv reads back as the same values. */
import { describeValue } from '../../api/check-value.ts';
import { type TypeDescriptor, type TypeShape, describeType } from '../../api/types.ts';
import { formatValue, toJson } from '../format-value.ts';
import { jsonWriter, misfit, textWriter } from '../json-writer.ts';
import { csvDialect } from './csv-dialect.ts';
import type { CsvDialect } from './csv-rows.ts';

/**
 * How a column is written: a number of decimals (halves away from zero, as SQL rounds), `date` (YYYY-MM-DD),
 * `time` (ISO 8601), or a function.
 */
export type ColumnFormat = number | 'date' | 'time' | ((value: any) => string); // oxlint-disable-line typescript/no-explicit-any

export interface CsvWriteOptions<T> {
  /** Fields in the order of columns. Default: those of `type`. */
  readonly columns?: readonly (keyof T & string)[];
  /** Of the records: the columns, and what their values must be. */
  readonly type?: TypeDescriptor<T>;
  readonly format?: { readonly [K in keyof T]?: ColumnFormat };
  /** Default true. */
  readonly header?: boolean;
  /** Default `,`. */
  readonly separator?: string;
  /**
   * What encloses fields that hold separators, line breaks or itself; `null`: nothing does, and such a field is
   * an error. Default `"`.
   */
  readonly quote?: string | null;
}

/** A field; `null`: nothing, which is not the empty text. */
type Cell = (value: unknown) => string | null;

export interface RowFormat<T> {
  /** The first line, with its end; empty without a header. */
  readonly header: string;
  readonly format: (value: T) => string;
}

/** @throws TypeError when the columns are not known, are there twice, or are not of the type. */
export function csvFormat<T extends object>(options: CsvWriteOptions<T>): RowFormat<T> {
  const { header = true, format = {}, type } = options;
  const dialect = csvDialect(options, 'FileSink.csv');
  const columns = options.columns ?? columnsOf(type);
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined)
    throw new TypeError(`FileSink.csv: the column '${twice}' is there twice`);
  const cells = columns.map((column) => cellOf(column, type, format as Formats));
  const nothing = columns.map((column) => (type === undefined ? 'never' : nothingIn(column, type)));
  const row = rowWriter(columns, nothing, dialect);
  return {
    header: header ? rowWriter(columns, [], dialect)(columns) : '',
    format: (value) => {
      const fields = columns.map((column, index) => {
        try {
          return cells[index]!((value as Record<string, unknown>)[column]);
        } catch (error) {
          throw new TypeError(`column '${column}': ${(error as Error).message}`);
        }
      });
      return row(fields);
    },
  };
}

type Formats = Readonly<Record<string, ColumnFormat | undefined>>;

function columnsOf(type: TypeDescriptor<unknown> | undefined): readonly string[] {
  if (type?.kind === 'record') return Object.keys(type.fields);
  throw new TypeError(
    'FileSink.csv needs `columns`, or the record `type` that they are the fields of',
  );
}

function cellOf(column: string, type: TypeShape | undefined, formats: Formats): Cell {
  const field = type === undefined ? undefined : fieldOf(column, type);
  const plain = field === undefined ? plainCell : typedCell(field);
  const format = Object.hasOwn(formats, column) ? formats[column] : undefined;
  if (format === undefined) return plain;
  const formatted = formattedCell(format);
  if (field === undefined) return formatted;
  // A value of another type is refused in every form.
  return (value) => (plain(value) === null ? formatted(undefined) : formatted(value));
}

function fieldOf(column: string, type: TypeShape): TypeShape {
  if (type.kind === 'record' && Object.hasOwn(type.fields, column)) return type.fields[column]!;
  throw new TypeError(`FileSink.csv: ${describeType(type)} has no field '${column}'`);
}

/** Of a column without a declared type. */
function plainCell(value: unknown): string | null {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'bigint':
      return String(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      return value instanceof Date ? value.toISOString() : toJson(value);
    default:
      return formatValue(value);
  }
}

function typedCell(type: TypeShape): Cell {
  if (type.kind === 'optional') {
    const cell = typedCell(type.type);
    return (value) => (value === undefined ? null : cell(value));
  }
  if (type.kind === 'union') {
    const cells = type.types.map(typedCell);
    return (value) => {
      for (const cell of cells) {
        try {
          return cell(value);
        } catch {
          // the next alternative
        }
      }
      throw misfit(type, value);
    };
  }
  return textWriter(type) ?? jsonWriter(type);
}

function formattedCell(format: ColumnFormat): Cell {
  if (typeof format === 'function') return format;
  const write =
    typeof format === 'number'
      ? (value: unknown) => fixed(Number(value), format)
      : (value: unknown) => {
          const text = new Date(value as number).toISOString();
          return format === 'date' ? text.slice(0, text.indexOf('T')) : text;
        };
  return (value) => (value === undefined || value === null ? null : write(value));
}

/** Whether a column may hold nothing: `told-apart` when it may hold the empty text, too. */
type Nothing = 'never' | 'sometimes' | 'told-apart';

function nothingIn(column: string, type: TypeShape): Nothing {
  const field = fieldOf(column, type);
  if (field.kind !== 'optional') return 'never';
  return field.type.kind === 'string' || field.type.kind === 'bytes' ? 'told-apart' : 'sometimes';
}

/** One line, with its end. */
function rowWriter(
  columns: readonly string[],
  nothing: readonly Nothing[],
  dialect: CsvDialect,
): (fields: readonly (string | null)[]) => string {
  const { separator } = dialect;
  const enclosesAll = separator === '\t' && dialect.quote === undefined;
  const blank = nothing[0] === undefined || nothing[0] === 'never' ? '' : null;
  const { enclose, isSpecial } = enclosing(columns, dialect);
  return (fields) => {
    let line = '';
    let isSpread = false;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (i > 0) line += separator;
      if (field === null || (field === '' && nothing[i] !== 'told-apart')) continue;
      if (field !== '' && !isSpecial(field)) line += field;
      else {
        line += enclose(field, i);
        isSpread ||= /[\r\n]/.test(field);
      }
    }
    // Readers take lines of such a file for rows, unless all fields are enclosed (R3 of csv-rows.ts).
    if (isSpread && enclosesAll) {
      const all = fields.map((field, i) => (field ? enclose(field, i) : field === '' ? '""' : ''));
      return `${all.join(separator)}\n`;
    }
    // A blank line is no row, but where one column is all there is and may hold nothing.
    return line === '' && (fields[0] !== null || blank === '')
      ? `${enclose('', 0)}\n`
      : `${line}\n`;
  };
}

function enclosing(columns: readonly string[], { quote = '"', separator }: CsvDialect) {
  // Each character of the separator: a field may end with a part of it.
  const characters = `${quote ?? ''}\r\n\uFEFF${separator}`.replaceAll(
    /[\\\]^-]/g,
    String.raw`\$&`,
  );
  const special = new RegExp(`[${characters}]`);
  return {
    isSpecial: (field: string) => special.test(field),
    enclose: (field: string, index: number) => {
      if (quote !== null) return `${quote}${field.replaceAll(quote, quote + quote)}${quote}`;
      if (field === '' && columns.length > 1) return '';
      const why = field === '' ? 'is empty' : 'has a separator or a line break';
      throw new TypeError(
        `column '${columns[index]}': ${describeValue(field)} ${why}, which needs quotes around it: leave out \`quote: null\``,
      );
    },
  };
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
