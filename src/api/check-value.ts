/** Does a value fit a declared type? Finds every problem, each with its path. */
import { type TypeShape, describeType } from './types.ts';

export interface Misfit {
  /** JSON pointer within the value: `/input`. Empty for the value itself. */
  readonly path: string;
  readonly message: string;
  /** The name that an unknown field may have been meant to be. */
  readonly unknownField: { readonly name: string; readonly known: readonly string[] } | null;
}

export function findMisfits(type: TypeShape, value: unknown, path = ''): Misfit[] {
  switch (type.kind) {
    case 'optional':
      return value === undefined ? [] : findMisfits(type.type, value, path);
    case 'union':
      return type.types.some((t) => findMisfits(t, value, path).length === 0) ? [] : [misfit(type, value, path)];
    case 'record':
      return checkRecord(type, value, path);
    case 'list':
      if (!Array.isArray(value)) return [misfit(type, value, path)];
      return value.flatMap((element, index) => findMisfits(type.element, element, `${path}/${index}`));
    case 'map':
      if (!(value instanceof Map)) return [misfit(type, value, path)];
      return [...value].flatMap(([key, inner]) => findMisfits(type.value, inner, `${path}/${String(key)}`));
    default:
      return fitsSimple(type.kind, value) ? [] : [misfit(type, value, path)];
  }
}

function fitsSimple(kind: TypeShape['kind'], value: unknown): boolean {
  switch (kind) {
    case 'int32':
      return typeof value === 'number' && (value | 0) === value;
    case 'int64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'double':
    case 'timestamp':
      return typeof value === 'number';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'primitive':
      return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
    default:
      return typeof value === kind;
  }
}

function checkRecord(
  type: Extract<TypeShape, { kind: 'record' }>,
  value: unknown,
  path: string,
): Misfit[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [misfit(type, value, path)];
  const record = value as Record<string, unknown>;
  const known = Object.keys(type.fields);
  const wrong = known.flatMap((name) => findMisfits(type.fields[name]!, record[name], `${path}/${name}`));
  const unknown = Object.keys(record)
    .filter((name) => !Object.hasOwn(type.fields, name))
    .map((name) => ({
      path: `${path}/${name}`,
      message: `unknown field '${name}'`,
      unknownField: { name, known },
    }));
  return [...wrong, ...unknown];
}

function misfit(type: TypeShape, value: unknown, path: string): Misfit {
  const got = value === undefined ? 'is missing' : `got ${describeValue(value)}`;
  return { path, message: `expected ${describeType(type)}, ${got}`, unknownField: null };
}

/** Short, for messages: `"abc"`, `42`, `an object`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'object') return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
