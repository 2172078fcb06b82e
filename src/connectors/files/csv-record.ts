/** Rows of CSV → records of a declared type. */
import type { TypeShape } from '../../api/types.ts';
import { type Convert, textConverter } from './convert.ts';
import type { CsvRow } from './csv-rows.ts';
import { FatalInputError, type Item } from './text-split.ts';

type RecordShape = Extract<TypeShape, { kind: 'record' }>;

interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  /** Of an optional type: whether `""` is an empty value, and not nothing. */
  readonly hasEmpty: boolean;
  readonly convert: Convert;
  /** Of the value of `""`. */
  readonly convertEmpty: Convert;
  /** 0-based. */
  column: number;
}

/** Reads over the header, if there is one, and finds by it which column is which field. */
export function csvConverter<T>(type: RecordShape, header: boolean): (item: Item<CsvRow>) => T {
  const fields = Object.entries(type.fields).map(([name, field], index) =>
    fieldOf(name, field, index),
  );
  let width: number | null = null;
  return ({ value: row }) => {
    if (header && width === null) {
      width = row.fields.length;
      for (const field of fields) field.column = columnOf(field, row.fields);
      return undefined as T;
    }
    if (width !== null && row.fields.length !== width) {
      throw new TypeError(
        `the row has ${row.fields.length} columns, the header ${width}${quoteAdvice(row.fields)}`,
      );
    }
    return recordOf(fields, row) as T;
  };
}

function fieldOf(name: string, type: TypeShape, column: number): Field {
  const inner = type.kind === 'optional' ? type.type : type;
  return {
    name,
    isOptional: type.kind === 'optional',
    hasEmpty: type.kind === 'optional' && (inner.kind === 'string' || inner.kind === 'bytes'),
    convert: textConverter(type),
    convertEmpty: textConverter(inner),
    column,
  };
}

/** @throws FatalInputError for a column that is missing or there twice. */
function columnOf({ isOptional, name }: Field, header: readonly string[]): number {
  let found = header.indexOf(name);
  let names = header;
  if (found < 0) {
    // Blanks around names are there for people who look at the file.
    names = header.map((column) => column.trim());
    found = names.indexOf(name.trim());
  }
  if (found < 0) {
    if (isOptional) return found;
    throw new FatalInputError(`the header has no column '${name}'; it has ${header.join(', ')}`);
  }
  const second = names.indexOf(names[found]!, found + 1);
  if (second < 0) return found;
  throw new FatalInputError(
    `the header has two columns '${name}', the ${ordinal(found)} and the ${ordinal(second)}: rename one of them`,
  );
}

function ordinal(index: number): string {
  const number = index + 1;
  const ending = number % 100 >= 11 && number % 100 <= 13 ? 'th' : endings[number % 10];
  return `${number}${ending ?? 'th'}`;
}

const endings: Readonly<Record<number, string>> = { 1: 'st', 2: 'nd', 3: 'rd' };

const quoteAdvice = (row: readonly string[]): string =>
  row.some((field) => field.startsWith('"'))
    ? ' (a quote encloses a field only where it is the first and the last character of it)'
    : '';

function recordOf(fields: readonly Field[], row: CsvRow): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const { column, convert, convertEmpty, hasEmpty, isOptional, name } of fields) {
    const text = row.fields[column];
    if (text === undefined) {
      if (isOptional) continue;
      throw new TypeError(`column '${name}' is missing: the row has ${row.fields.length} columns`);
    }
    try {
      const isEmptyText = text === '' && hasEmpty && row.emptyTexts?.has(column) === true;
      const value = (isEmptyText ? convertEmpty : convert)(text);
      if (value !== undefined) record[name] = value;
    } catch (error) {
      throw new TypeError(`column '${name}': ${(error as Error).message}`);
    }
  }
  return record;
}
