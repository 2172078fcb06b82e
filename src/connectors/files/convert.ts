/** Text and Parquet values → values of a declared type. */
import { describeValue } from '../../api/check-value.ts';
import { type TypeShape, describeType } from '../../api/types.ts';

/** @throws TypeError saying what was expected and what is there. */
export type Convert = (value: unknown) => unknown;

function expected(type: TypeShape, value: unknown): TypeError {
  return new TypeError(`expected ${describeType(type)}, got ${describeValue(value)}`);
}

/** For the fields of CSV: text only. An empty field of an optional type is nothing. */
export function textConverter(type: TypeShape): Convert {
  const of =
    (parse: (text: string) => unknown): Convert =>
    (value) => {
      const parsed = parse(value as string);
      if (parsed === undefined) throw expected(type, value);
      return parsed;
    };
  switch (type.kind) {
    case 'string':
    case 'primitive':
      return (value) => value;
    case 'int32':
      return of((text) => {
        const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
        return (number | 0) === number ? number : undefined;
      });
    case 'int64':
      return of(parseInt64);
    case 'double':
      return of((text) => {
        const number = text.trim() === '' ? Number.NaN : Number(text);
        return Number.isNaN(number) && text !== 'NaN' ? undefined : number;
      });
    case 'boolean':
      return of((text) =>
        text === 'true' || text === '1'
          ? true
          : text === 'false' || text === '0'
            ? false
            : undefined,
      );
    case 'timestamp':
      return of(parseTimestamp);
    case 'bytes':
      return of((text) => new Uint8Array(Buffer.from(text, 'base64')));
    case 'optional': {
      const convert = textConverter(type.type);
      return (value) => (value === '' ? undefined : convert(value));
    }
    default:
      throw new TypeError(`a ${describeType(type)} cannot be a column of CSV`);
  }
}

/** Of 64 bits. */
function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Epoch milliseconds, or ISO 8601; without an offset it is UTC. */
function parseTimestamp(text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const zoned =
    /T|\d \d/.test(text) && !/(?:Z|[+-]\d\d:?\d\d)$/.test(text)
      ? `${text.replace(' ', 'T')}Z`
      : text;
  const ms = Date.parse(zoned);
  return Number.isNaN(ms) ? undefined : ms;
}

/** For values of JSON and Parquet, which have types of their own. `null` counts as absent. */
export function valueConverter(type: TypeShape): Convert {
  switch (type.kind) {
    case 'int32':
      return (value) => {
        const number = typeof value === 'bigint' ? Number(value) : value;
        if (((number as number) | 0) === number) return number;
        throw expected(type, value);
      };
    case 'double':
      return (value) => {
        if (typeof value === 'number') return value;
        if (typeof value === 'bigint') return Number(value);
        throw expected(type, value);
      };
    case 'int64':
      return (value) => {
        if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value;
        if (Number.isSafeInteger(value)) return BigInt(value as number);
        const parsed = typeof value === 'string' ? parseInt64(value) : undefined;
        if (parsed === undefined) throw expected(type, value);
        return parsed;
      };
    case 'timestamp':
      return (value) => {
        if (typeof value === 'number') return value;
        if (typeof value === 'bigint') return Number(value);
        const ms =
          typeof value === 'string'
            ? parseTimestamp(value)
            : value instanceof Date
              ? value.getTime()
              : undefined;
        if (ms === undefined) throw expected(type, value);
        return ms;
      };
    case 'bytes':
      return (value) => {
        if (value instanceof Uint8Array) return value;
        if (typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
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
    case 'primitive':
      return (value) => value;
    default:
      return (value) => {
        if (typeof value === type.kind) return value;
        throw expected(type, value);
      };
  }
}

function listConverter(type: Extract<TypeShape, { kind: 'list' }>): Convert {
  const convert = valueConverter(type.element);
  return (value) => {
    if (!Array.isArray(value)) throw expected(type, value);
    return value.map(convert);
  };
}

function mapConverter(type: Extract<TypeShape, { kind: 'map' }>): Convert {
  const convert = valueConverter(type.value);
  return (value) => {
    if (value === null || typeof value !== 'object') throw expected(type, value);
    return new Map(Object.entries(value).map(([key, inner]) => [key, convert(inner)]));
  };
}

function unionConverter(type: Extract<TypeShape, { kind: 'union' }>): Convert {
  const converters = type.types.map(valueConverter);
  return (value) => {
    for (const convert of converters) {
      try {
        return convert(value);
      } catch {
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
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw expected(type, value);
    const result: Record<string, unknown> = {};
    for (const { name, convert } of fields) {
      try {
        const there = Object.hasOwn(value, name);
        const converted = convert(there ? (value as Record<string, unknown>)[name] : undefined);
        if (converted !== undefined) result[name] = converted;
      } catch (error) {
        throw new TypeError(`field '${name}': ${(error as Error).message}`);
      }
    }
    return result;
  };
}
