/** Does a value fit a declared type? Finds every problem, each with its path. */
import { type TypeShape, describeType } from './types.ts';

export interface Misfit {
  /** JSON pointer within the value: `/input`. Empty for the value itself. */
  readonly path: string;
  /** `expected string, got number 42` */
  readonly message: string;
  /** Set for a field that the type does not have; `known` are those it has. */
  readonly unknownField: { readonly name: string; readonly known: readonly string[] } | null;
}

/** @returns every place where the value does not fit, fields that the type does not have included. */
export function findMisfits(type: TypeShape, value: unknown, path = ''): Misfit[] {
  switch (type.kind) {
    case 'optional':
      return value === undefined ? [] : findMisfits(type.type, value, path);
    case 'union':
      return type.types.some((t) => findMisfits(t, value).length === 0)
        ? []
        : [misfit(type, value, path)];
    case 'record':
      return checkRecord(type, value, path);
    case 'list':
      if (!Array.isArray(value)) return [misfit(type, value, path)];
      // Not flatMap: a hole in the list is an element that is missing.
      return Array.from(value, (element, index) =>
        findMisfits(type.element, element, `${path}/${index}`),
      ).flat();
    case 'map':
      if (!(value instanceof Map)) return [misfit(type, value, path)];
      return [...value].flatMap(([key, inner]) =>
        typeof key === 'string'
          ? findMisfits(type.value, inner, `${path}/${escape(key)}`)
          : [
              {
                path,
                message: `expected a string as the key of a map, got ${typedValue(key)}`,
                unknownField: null,
              },
            ],
      );
    default:
      return fitsSimple(type.kind, value) ? [] : [misfit(type, value, path)];
  }
}

function fitsSimple(kind: TypeShape['kind'], value: unknown): boolean {
  switch (kind) {
    case 'int32':
      return typeof value === 'number' && (value | 0) === value;
    case 'long':
      return Number.isSafeInteger(value);
    case 'int64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'double':
    case 'timestamp':
      return typeof value === 'number';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'primitive':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value;
      return ['string', 'number', 'boolean'].includes(typeof value);
    default:
      return typeof value === kind;
  }
}

/** An object that is no value of another type. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  return !Array.isArray(value) && !(value instanceof Map) && !(value instanceof Uint8Array);
}

function checkRecord(
  type: Extract<TypeShape, { kind: 'record' }>,
  value: unknown,
  path: string,
): Misfit[] {
  if (!isRecord(value)) return [misfit(type, value, path)];
  const record = value;
  const known = Object.keys(type.fields);
  const field = (name: string) =>
    name in Object.prototype && !Object.hasOwn(record, name) ? undefined : record[name];
  const wrong = known.flatMap((name) =>
    findMisfits(type.fields[name]!, field(name), `${path}/${escape(name)}`),
  );
  const unknown = Object.keys(record)
    .filter((name) => !Object.hasOwn(type.fields, name))
    .map((name) => ({
      path: `${path}/${escape(name)}`,
      message: `unknown field '${name}'`,
      unknownField: { name, known },
    }));
  return [...wrong, ...unknown];
}

/** As JSON pointers want it. */
function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function misfit(type: TypeShape, value: unknown, path: string): Misfit {
  const got = value === undefined ? 'but it is missing' : `got ${typedValue(value)}`;
  return { path, message: `expected ${describeType(type)}, ${got}`, unknownField: null };
}

function typedValue(value: unknown): string {
  const type = typeof value;
  return ['string', 'number', 'bigint', 'boolean'].includes(type)
    ? `${type} ${describeValue(value)}`
    : describeValue(value);
}

/** Short, for messages: `"abc"`, `42`, `an object`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'object':
      if (value instanceof Map) return 'a Map';
      if (value instanceof Date) return 'a Date';
      return value instanceof Uint8Array ? 'bytes' : 'an object';
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'symbol':
    case 'undefined':
      return String(value);
    default:
      return 'a function';
  }
}
