/**
 * Values of one column of Parquet → values of a declared type.
 *
 * hyparquet makes doubles of decimals, text of bytes and parsed JSON of JSON. Where the declared type asks for
 * something else, the annotation is taken from the schema before it reads, so that it gives what is stored,
 * and the value is made here.
 *
 * L1  Nothing is rounded: a value that the declared type cannot hold is an error that names it. Times alone lose
 *     what is below a millisecond, towards the past, so that they stay in their day.
 */
import type { SchemaElement } from 'hyparquet';
import { describeValue } from '../../api/check-value.ts';
import {
  parseBoolean,
  parseDouble,
  parseInt32,
  parseInt64,
  parseLong,
  parseTimestamp,
} from '../../api/scalar-text.ts';
import { type TypeShape, describeType } from '../../api/types.ts';
import { type Convert, jsonConverter } from './convert.ts';
import { bigEndian, decimalDouble, decimalText } from './decimal.ts';

/** What a column holds, once hyparquet is told to leave alone what it would spoil. */
type Stored =
  | { readonly kind: 'boolean' | 'float' | 'text' | 'uuid' | 'bytes' | 'date' | 'int96' }
  | { readonly kind: 'integer' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly perSecond: bigint };

/** How a leaf is read. */
interface Reading {
  /** Changes of the element; see above. */
  readonly change: Pick<SchemaElement, 'converted_type' | 'logical_type'> | null;
  readonly convert: Convert;
}

/** As it is stored. */
const plain = { converted_type: undefined, logical_type: undefined } as never;
const asText = { converted_type: 'UTF8', logical_type: undefined } as never;
/** Keeps INT96 from becoming a time. */
const asInteger = { converted_type: 'INT_64', logical_type: undefined } as never;

function storedIn(element: SchemaElement): Stored {
  const { converted_type: converted, logical_type: logical, type } = element;
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const scale = logical?.type === 'DECIMAL' ? logical.scale : element.scale;
    return { kind: 'decimal', scale: scale ?? 0 };
  }
  if (logical?.type === 'TIMESTAMP' || logical?.type === 'TIME') {
    const kind = logical.type === 'TIME' ? 'time' : 'timestamp';
    return { kind, perSecond: unitsPerSecond[logical.unit] };
  }
  switch (converted) {
    case 'TIMESTAMP_MILLIS':
      return { kind: 'timestamp', perSecond: 1000n };
    case 'TIMESTAMP_MICROS':
      return { kind: 'timestamp', perSecond: 1_000_000n };
    case 'TIME_MILLIS':
      return { kind: 'time', perSecond: 1000n };
    case 'TIME_MICROS':
      return { kind: 'time', perSecond: 1_000_000n };
    case 'DATE':
      return { kind: 'date' };
    case 'UTF8':
    case 'ENUM':
    case 'JSON':
      return { kind: 'text' };
  }
  switch (logical?.type) {
    case 'DATE':
      return { kind: 'date' };
    case 'STRING':
    case 'ENUM':
    case 'JSON':
      return { kind: 'text' };
    case 'UUID':
      return { kind: 'uuid' };
    case 'FLOAT16':
      return { kind: 'float' };
  }
  return physical[type ?? 'BYTE_ARRAY'];
}

const unitsPerSecond = { MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n } as const;

const physical: Readonly<Record<NonNullable<SchemaElement['type']>, Stored>> = {
  BOOLEAN: { kind: 'boolean' },
  INT32: { kind: 'integer' },
  INT64: { kind: 'integer' },
  INT96: { kind: 'int96' },
  FLOAT: { kind: 'float' },
  DOUBLE: { kind: 'float' },
  BYTE_ARRAY: { kind: 'bytes' },
  FIXED_LEN_BYTE_ARRAY: { kind: 'bytes' },
};

/** @throws TypeError, without the column, when values of such a column are never of the type. */
export function readingOf(element: SchemaElement, type: TypeShape): Reading {
  const stored = storedIn(element);
  switch (type.kind) {
    case 'union':
      return readingOf(element, chosen(stored, type.types));
    case 'string':
      return textReading(stored);
    case 'bytes':
      return bytesReading(stored, type);
    case 'timestamp':
      return timestampReading(stored, type);
    case 'int32':
    case 'long':
    case 'int64':
    case 'double':
      return numberReading(stored, type.kind);
    case 'boolean':
      return { change: changeFor(stored), convert: booleanOf(type) };
    case 'list':
    case 'map':
    case 'record':
      return jsonReading(stored, type);
    default:
      throw unreadable(stored, type);
  }
}

/** So that hyparquet gives what is stored: text as text, all else as it is. */
const changeFor = ({ kind }: Stored): Reading['change'] =>
  kind === 'text' || kind === 'bytes' ? asText : null;

const refuse = (type: TypeShape, got: string): TypeError =>
  new TypeError(`expected ${describeType(type)}, got ${got}`);

const expected = (type: TypeShape, value: unknown) => refuse(type, describeValue(value));

function unreadable(stored: Stored, type: TypeShape): TypeError {
  return new TypeError(
    `holds ${names[stored.kind]}, which cannot be read as ${describeType(type)}`,
  );
}

const names: Readonly<Record<Stored['kind'], string>> = {
  boolean: 'truth values',
  bytes: 'bytes',
  date: 'dates',
  decimal: 'decimals',
  float: 'floating-point numbers',
  int96: 'times (INT96)',
  integer: 'integers',
  text: 'texts',
  time: 'times of day',
  timestamp: 'times',
  uuid: 'UUIDs',
};

/** The alternative of a union that a column is most like. */
function chosen(stored: Stored, types: readonly TypeShape[]): TypeShape {
  const natural = mostLike[stored.kind];
  const found = natural
    .map((kind) => types.find((type) => type.kind === kind))
    .find((type) => type !== undefined);
  return found ?? types[0]!;
}

const mostLike: Readonly<Record<Stored['kind'], readonly TypeShape['kind'][]>> = {
  boolean: ['boolean', 'string'],
  bytes: ['bytes', 'string'],
  date: ['timestamp', 'string', 'int64', 'long'],
  decimal: ['string', 'int64', 'long', 'double'],
  float: ['double', 'string'],
  int96: ['timestamp', 'string'],
  integer: ['int64', 'long', 'int32', 'double', 'string'],
  text: ['string', 'bytes'],
  time: ['string', 'int64', 'long'],
  timestamp: ['timestamp', 'string', 'int64', 'long'],
  uuid: ['string', 'bytes'],
};

function textReading(stored: Stored): Reading {
  const type: TypeShape = { kind: 'string' };
  switch (stored.kind) {
    case 'uuid':
    case 'text':
    case 'bytes':
      return {
        change: stored.kind === 'uuid' ? null : asText,
        convert: (value) => {
          if (typeof value === 'string') return value;
          throw expected(type, value);
        },
      };
    case 'decimal':
      return exact(type, plain, (value) => decimalText(unscaledOf(value), stored.scale));
    case 'date':
      return exact(type, plain, (days) =>
        isoTime(BigInt(days as number) * 86_400n, 1n).slice(0, -10),
      );
    case 'timestamp':
      return exact(type, plain, (units) => isoTime(BigInt(units as bigint), stored.perSecond));
    case 'int96':
      return exact(type, asInteger, (value) => isoTime(nanosOf(value as bigint), 1_000_000_000n));
    case 'time':
      return exact(type, plain, (units) =>
        isoTime(BigInt(units as bigint), stored.perSecond).slice('1970-01-01T'.length, -1),
      );
    default:
      return exact(type, null, String);
  }
}

/** A reading whose nulls are refused before they are converted. */
function exact(type: TypeShape, change: Reading['change'], convert: Convert): Reading {
  return {
    change,
    convert: (value) => {
      if (value === null || value === undefined) throw expected(type, value);
      const converted = convert(value);
      if (converted === undefined) throw expected(type, value);
      return converted;
    },
  };
}

function bytesReading(stored: Stored, type: TypeShape): Reading {
  switch (stored.kind) {
    case 'int96':
      return exact(type, asInteger, (value) => int96Bytes(value as bigint));
    case 'text':
    case 'uuid':
    case 'bytes':
    case 'decimal':
    case 'float':
      // A copy: rows that came out of a dictionary share one object.
      return exact(type, plain, (value) =>
        value instanceof Uint8Array ? new Uint8Array(value) : undefined,
      );
    default:
      throw unreadable(stored, type);
  }
}

function timestampReading(stored: Stored, type: TypeShape): Reading {
  switch (stored.kind) {
    case 'timestamp':
    case 'int96':
    case 'date':
    case 'integer':
    case 'float':
      // Times are made by `timeParsers`, at once for all rows that share a value.
      return exact(type, null, (value) => {
        const ms = typeof value === 'bigint' ? Number(value) : value;
        if (typeof value === 'bigint' && BigInt(ms as number) !== value) return undefined; // L1
        return typeof ms === 'number' ? ms : undefined;
      });
    case 'text':
    case 'bytes':
      return exact(type, asText, (value) => parseTimestamp(value as string));
    default:
      throw unreadable(stored, type);
  }
}

/** For hyparquet: epoch milliseconds. */
export const timeParsers = {
  dateFromDays: (days: number) => days * 86_400_000,
  timestampFromMilliseconds: Number,
  timestampFromMicroseconds: (us: bigint) => floorDivide(us, 1000n, 1000),
  timestampFromNanoseconds: (ns: bigint) => floorDivide(ns, 1_000_000n, 1_000_000),
} as const;

/** L1 */
function floorDivide(value: bigint, divisor: bigint, byNumber: number): number {
  const number = Number(value);
  if (byNumber === 1000 && Number.isSafeInteger(number)) return Math.floor(number / byNumber);
  const rest = value % divisor;
  return Number((value - rest) / divisor) - (rest < 0n ? 1 : 0);
}

type NumberKind = 'int32' | 'long' | 'int64' | 'double';

function numberReading(stored: Stored, kind: NumberKind): Reading {
  const type: TypeShape = { kind };
  switch (stored.kind) {
    case 'integer':
    case 'float':
      return exact(type, null, numberOf[kind]);
    case 'decimal':
      return {
        change: plain,
        convert: (value) => {
          if (value === null || value === undefined) throw expected(type, value);
          const unscaled = unscaledOf(value);
          const converted = decimalNumber(unscaled, stored.scale, kind);
          if (converted === undefined) throw refuse(type, decimalText(unscaled, stored.scale));
          return converted;
        },
      };
    case 'date':
    case 'time':
    case 'timestamp':
      return exact(type, plain, numberOf[kind]); // as it is stored
    case 'int96':
      return exact(type, asInteger, (value) => numberOf[kind](nanosOf(value as bigint)));
    case 'text':
    case 'bytes':
      return exact(type, asText, (value) => numberOfText[kind](value as string));
    default:
      throw unreadable(stored, type);
  }
}

const numberOfText = {
  int32: parseInt32,
  long: parseLong,
  int64: parseInt64,
  double: parseDouble,
} as const;

/** `undefined`: it does not fit (L1). */
const numberOf: Readonly<Record<NumberKind, (value: unknown) => unknown>> = {
  int32: (value) => {
    const number = Number(value);
    return (number | 0) === number ? number : undefined;
  },
  long: (value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number + 0 : undefined; // −0 is 0
  },
  int64: (value) => {
    if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined;
    return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
  },
  double: (value) => {
    if (typeof value === 'number') return value;
    const number = Number(value);
    return BigInt(number) === value ? number : undefined;
  },
};

/** Of a decimal: integers are the unscaled value, all its digits without the point. */
function decimalNumber(
  unscaled: bigint,
  scale: number,
  kind: NumberKind,
): number | bigint | undefined {
  if (kind === 'double') return decimalDouble(unscaled, scale);
  return numberOf[kind](unscaled) as number | bigint | undefined;
}

const unscaledOf = (value: unknown): bigint =>
  value instanceof Uint8Array ? bigEndian(value) : BigInt(value as number | bigint);

function booleanOf(type: TypeShape): Convert {
  return (value) => {
    const parsed = typeof value === 'string' ? parseBoolean(value) : value;
    if (typeof parsed === 'boolean') return parsed;
    throw expected(type, value);
  };
}

function jsonReading(stored: Stored, type: TypeShape): Reading {
  if (stored.kind !== 'text') throw unreadable(stored, type);
  const convert = jsonConverter(type);
  return exact(type, asText, (value) => {
    try {
      return convert(value as string);
    } catch (error) {
      throw error instanceof SyntaxError ? expected(type, value) : error;
    }
  });
}

/** Nanoseconds of the day in the low 8 bytes, the Julian day in the 4 above. */
function nanosOf(value: bigint): bigint {
  const julianDay1970 = 2_440_588n;
  return ((value >> 64n) - julianDay1970) * 86_400_000_000_000n + (value & 0xffff_ffff_ffff_ffffn);
}

function int96Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, value), true);
  view.setInt32(8, Number(value >> 64n), true);
  return bytes;
}

/** `2024-01-01T00:00:00.000000001Z`: as many digits as the unit has. */
function isoTime(units: bigint, perSecond: bigint): string {
  const rest = ((units % perSecond) + perSecond) % perSecond;
  const seconds = (units - rest) / perSecond;
  const digits = String(perSecond).length - 1;
  const date = new Date(Number(seconds) * 1000);
  // hyparquet's range is larger than that of Date.
  if (Number.isNaN(date.getTime())) return `${seconds} s`;
  const fraction = digits === 0 ? '' : `.${String(rest).padStart(digits, '0')}`;
  return date.toISOString().replace('.000Z', `${fraction}Z`);
}
