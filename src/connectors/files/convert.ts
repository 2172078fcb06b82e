/** Texts and values of JSON → values of a declared type. Those of Parquet are in parquet-leaf.ts. */
import { describeValue } from '../../api/check-value.ts';
import {
  parseBoolean,
  parseBytes,
  parseDouble,
  parseInt32,
  parseInt64,
  parseLong,
  parseTimestamp,
} from '../../api/scalar-text.ts';
import { type TypeShape, describeType } from '../../api/types.ts';

/** @throws TypeError saying what was expected and what is there. */
export type Convert = (value: unknown) => unknown;

/** A number of JSON with the text that is in the file: `Number` rounds what is longer than 17 digits. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function expected(type: TypeShape, value: unknown): TypeError {
  const got = value instanceof NumberText ? value.text : describeValue(value);
  return new TypeError(`expected ${describeType(type)}, got ${got}${adviceFor(type, value)}`);
}

/** For values that are often meant otherwise. */
function adviceFor(type: TypeShape, value: unknown): string {
  if (type.kind !== 'timestamp' || typeof value !== 'string') return '';
  if (/^\s*\d+\s*$/.test(value)) return ': write a date as 2024-01-31';
  return /^\s*\d{4}-\d\d-\d\d/.test(value) ? ', which is no date or time of ISO 8601' : '';
}

/** V8 copies shorter pieces of a text; longer ones are slices that keep all of it in memory. */
const longestCopied = 12;

/** A text of its own: a field that is kept as state must not keep the block of the file that it was cut from. */
function ownText(text: string): string {
  return text.length <= longestCopied ? text : ` ${text}`.slice(1);
}

/** For the fields of CSV: text only. An empty field of an optional type is nothing. */
export function textConverter(type: TypeShape): Convert {
  const parse = scalarParser(type);
  if (parse !== null) {
    return (value) => {
      const parsed = parse(value as string);
      if (parsed === undefined) throw expected(type, value);
      return parsed;
    };
  }
  switch (type.kind) {
    case 'optional': {
      const convert = textConverter(type.type);
      return (value) => (value === '' ? undefined : convert(value));
    }
    case 'union':
      return firstOf(type, type.types.map(textConverter));
    case 'list':
    case 'map':
    case 'record': {
      const convert = jsonConverter(type);
      return (value) => {
        try {
          return convert(value as string);
        } catch (error) {
          throw error instanceof SyntaxError ? expected(type, value) : error;
        }
      };
    }
    case 'string':
      return (value) => ownText(value as string);
    default:
      return (value) => value;
  }
}

/** `null`: values of the type are no single text. */
function scalarParser(type: TypeShape): ((text: string) => unknown) | null {
  switch (type.kind) {
    case 'int32':
      return parseInt32;
    case 'long':
      return parseLong;
    case 'int64':
      return parseInt64;
    case 'double':
      return parseDouble;
    case 'boolean':
      return parseBoolean;
    case 'timestamp':
      return parseTimestamp;
    case 'bytes':
      return parseBytes;
    default:
      return null;
  }
}

/**
 * For texts that are JSON. Numbers keep all their digits where the type can hold them, `int64` and text. With the
 * text of each number a line costs five times as much (*measured*, a record of three fields), so it is looked at
 * in lines that cannot do without, and in all of them once one could not.
 *
 * @throws SyntaxError for what is no JSON, TypeError for what is not of the type.
 */
export function jsonConverter(type: TypeShape): (text: string) => unknown {
  const convert = valueConverter(type);
  let withTexts = false;
  return (text) => {
    if (!withTexts) {
      const value: unknown = JSON.parse(text);
      try {
        return convert(value);
      } catch {
        // Once more, with the texts: for the value, or for what the error says.
      }
    }
    const value: unknown = JSON.parse(text, withNumberTexts);
    const converted = convert(value);
    withTexts = true;
    return converted;
  };
}

function withNumberTexts(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context!.source!) : value;
}

/** Whether it fits can be said of its text alone; see jsonConverter. No other alternative is tried before. */
class NeedsText extends TypeError {}

const numberOf = (value: unknown) => (value instanceof NumberText ? Number(value.text) : value);

/** For values of JSON. `null` counts as absent. */
function valueConverter(type: TypeShape): Convert {
  switch (type.kind) {
    case 'int32':
      return (value) => {
        const number = numberOf(value) as number;
        if ((number | 0) === number) return number;
        throw expected(type, value);
      };
    case 'long':
      return (value) => {
        const number = numberOf(value);
        if (Number.isSafeInteger(number)) return (number as number) + 0; // −0 is 0
        throw expected(type, value);
      };
    case 'double':
      return (value) => {
        const number = numberOf(value);
        if (typeof number === 'number') return number;
        // JSON has no such numbers: FileSink writes them as text.
        if (number === 'NaN' || number === 'Infinity' || number === '-Infinity')
          return Number(number);
        throw expected(type, value);
      };
    case 'int64':
      return (value) => {
        if (Number.isSafeInteger(value)) return BigInt(value as number);
        if (Number.isInteger(value)) throw new NeedsText();
        const text = value instanceof NumberText ? value.text : value;
        const parsed = typeof text === 'string' ? int64OfText(text) : undefined;
        if (parsed === undefined) throw expected(type, value);
        return parsed;
      };
    case 'timestamp':
      return (value) => {
        const number = numberOf(value);
        if (typeof number === 'number') return number;
        const ms = typeof number === 'string' ? parseTimestamp(number) : undefined;
        if (ms === undefined) throw expected(type, value);
        return ms;
      };
    case 'bytes':
      return (value) => {
        const bytes = typeof value === 'string' ? parseBytes(value) : undefined;
        if (bytes === undefined) throw expected(type, value);
        return bytes;
      };
    case 'string':
      return (value) => {
        if (typeof value === 'string') return value;
        if (value instanceof NumberText) return value.text;
        if (typeof value === 'boolean') return String(value);
        throw expected(type, value);
      };
    case 'optional': {
      const convert = valueConverter(type.type);
      return (value) => (value === undefined || value === null ? undefined : convert(value));
    }
    case 'list':
      return listConverter(type);
    case 'record':
      return recordConverter(type);
    case 'map':
      return mapConverter(type);
    case 'union':
      return unionConverter(type);
    case 'boolean':
      return (value) => {
        if (typeof value === 'boolean') return value;
        throw expected(type, value);
      };
    case 'primitive':
      return numberOf;
  }
}

/** Also `5.0` and `5e0`, which some writers make of a 5. */
function int64OfText(text: string): bigint | undefined {
  const parsed = parseInt64(text);
  if (parsed !== undefined) return parsed;
  const number = Number(text);
  return /[.e]/i.test(text) && Number.isSafeInteger(number) ? BigInt(number) : undefined;
}

function listConverter(type: Extract<TypeShape, { kind: 'list' }>): Convert {
  const convert = valueConverter(type.element);
  return (value) => {
    if (!Array.isArray(value)) throw expected(type, value);
    return value.map((element) => convert(element));
  };
}

function mapConverter(type: Extract<TypeShape, { kind: 'map' }>): Convert {
  const convert = valueConverter(type.value);
  return (value) => {
    if (!isObject(value)) throw expected(type, value);
    return new Map(Object.entries(value).map(([key, inner]) => [key, convert(inner)]));
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  !(value instanceof NumberText);

/** A text is a text before it is an integer, a time or bytes that are written as text. */
function unionConverter(type: Extract<TypeShape, { kind: 'union' }>): Convert {
  const all = type.types.map(valueConverter);
  const ofText = type.types
    .toSorted((a, b) => Number(b.kind === 'string') - Number(a.kind === 'string'))
    .map(valueConverter);
  const ofNumber = type.types
    .toSorted((a, b) => Number(a.kind === 'string') - Number(b.kind === 'string'))
    .map(valueConverter);
  const [text, number, other] = [ofText, ofNumber, all].map((converters) =>
    firstOf(type, converters),
  );
  return (value) => {
    if (typeof value === 'string') return text!(value);
    return value instanceof NumberText ? number!(value) : other!(value);
  };
}

function firstOf(type: TypeShape, converters: readonly Convert[]): Convert {
  return (value) => {
    for (const convert of converters) {
      try {
        return convert(value);
      } catch (error) {
        if (error instanceof NeedsText) throw error;
        // the next alternative
      }
    }
    throw expected(type, value);
  };
}

function recordConverter(type: Extract<TypeShape, { kind: 'record' }>): Convert {
  const fields = Object.entries(type.fields).map(([name, field]) => ({
    name,
    convert: valueConverter(field),
  }));
  return (value) => {
    if (!isObject(value)) throw expected(type, value);
    const result: Record<string, unknown> = {};
    for (const { name, convert } of fields) {
      try {
        const there = Object.hasOwn(value, name);
        const converted = convert(there ? value[name] : undefined);
        if (converted !== undefined) result[name] = converted;
      } catch (error) {
        throw new TypeError(`field '${name}': ${(error as Error).message}`);
      }
    }
    return result;
  };
}
