/** Values of a declared type → JSON that reads back as the same values. */
import { describeValue, isRecord } from '../api/check-value.ts';
import { formatTimestamp } from '../api/scalar-text.ts';
import { type TypeShape, describeType } from '../api/types.ts';

/** @throws TypeError for a value that is not of the type, with the field. */
export type WriteText = (value: unknown) => string;

/** `expected int32, got 2.5` */
export const misfit = (type: TypeShape, value: unknown): TypeError =>
  new TypeError(`expected ${describeType(type)}, got ${describeValue(value)}`);

/**
 * What JSON has no form for: int64 beyond 2⁵³ as digits in quotes, so that readers which know doubles alone do
 * not round it; numbers that are none as text; bytes as base64; maps as objects; nothing in a list or map as null.
 */
export function jsonWriter(type: TypeShape): WriteText {
  switch (type.kind) {
    case 'optional': {
      const write = jsonWriter(type.type);
      return (value) => (value === undefined ? 'null' : write(value));
    }
    case 'list': {
      const write = jsonWriter(type.element);
      return (value) => {
        if (!Array.isArray(value)) throw misfit(type, value);
        return `[${Array.from(value, write).join(',')}]`;
      };
    }
    case 'map': {
      const write = jsonWriter(type.value);
      return (value) => {
        if (!(value instanceof Map)) throw misfit(type, value);
        const entries = [...(value as Map<string, unknown>)].map(([key, inner]) => {
          if (typeof key !== 'string') throw misfit({ kind: 'string' }, key);
          return `${JSON.stringify(key)}:${write(inner)}`;
        });
        return `{${entries.join(',')}}`;
      };
    }
    case 'record':
      return recordWriter(type);
    case 'union':
      return unionWriter(type);
    default:
      return scalarWriter(type, inJson);
  }
}

function recordWriter(type: Extract<TypeShape, { kind: 'record' }>): WriteText {
  const fields = Object.entries(type.fields).map(([name, field]) => ({
    name,
    label: `${JSON.stringify(name)}:`,
    isOptional: field.kind === 'optional',
    write: jsonWriter(field),
  }));
  return (value) => {
    if (!isRecord(value)) throw misfit(type, value);
    let text = '{';
    for (const { isOptional, label, name, write } of fields) {
      const inner = Object.hasOwn(value, name) ? value[name] : undefined;
      if (inner === undefined && isOptional) continue;
      if (text.length > 1) text += ',';
      try {
        text += label + write(inner);
      } catch (error) {
        throw new TypeError(`field '${name}': ${(error as Error).message}`);
      }
    }
    return `${text}}`;
  };
}

function unionWriter(type: Extract<TypeShape, { kind: 'union' }>): WriteText {
  const writers = type.types.map(jsonWriter);
  return (value) => {
    for (const write of writers) {
      try {
        return write(value);
      } catch {
        // the next alternative
      }
    }
    throw misfit(type, value);
  };
}

/** How texts and numbers that are no number are enclosed. */
interface Enclosing {
  readonly text: (text: string) => string;
  readonly special: (text: string) => string;
  readonly int64: (value: bigint) => string;
  readonly timestamp: (value: number) => string;
}

const quoted = (text: string) => `"${text}"`;
const asItIs = (text: string) => text;

const inJson: Enclosing = {
  text: (text) => JSON.stringify(text),
  special: quoted,
  int64: (value) => (Number.isSafeInteger(Number(value)) ? String(value) : quoted(String(value))),
  timestamp: formatDouble,
};

const alone: Enclosing = {
  text: asItIs,
  special: asItIs,
  int64: String,
  timestamp: formatTimestamp,
};

/** Values that are no list, map, record, union or optional as text alone; `null` for types of others. */
export function textWriter(type: TypeShape): WriteText | null {
  switch (type.kind) {
    case 'optional':
    case 'list':
    case 'map':
    case 'record':
    case 'union':
      return null;
    default:
      return scalarWriter(type, alone);
  }
}

function scalarWriter(type: TypeShape, { int64, special, text, timestamp }: Enclosing): WriteText {
  const number = (write: (value: number) => string): WriteText => {
    return (value) => {
      if (typeof value !== 'number') throw misfit(type, value);
      return Number.isFinite(value) ? write(value) : special(String(value));
    };
  };
  switch (type.kind) {
    case 'string':
      return (value) => {
        if (typeof value !== 'string') throw misfit(type, value);
        return text(value);
      };
    case 'int32':
      return (value) => {
        if (typeof value !== 'number' || (value | 0) !== value) throw misfit(type, value);
        return String(value);
      };
    case 'long':
      return (value) => {
        if (!Number.isSafeInteger(value)) throw misfit(type, value);
        return String(value);
      };
    case 'int64':
      return (value) => {
        if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
          throw misfit(type, value);
        return int64(value);
      };
    case 'double':
      return number(formatDouble);
    case 'timestamp':
      return number(timestamp);
    case 'boolean':
      return (value) => {
        if (typeof value !== 'boolean') throw misfit(type, value);
        return String(value);
      };
    case 'bytes':
      return (value) => {
        if (!(value instanceof Uint8Array)) throw misfit(type, value);
        return special(
          Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'),
        );
      };
    default:
      throw new TypeError(`a ${describeType(type)} has no text`);
  }
}

/** `String` loses the sign of −0. */
function formatDouble(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
