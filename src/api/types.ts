/**
 * Types of elements and arguments, declared as values: TypeScript's own are gone at run time. A descriptor
 * is plain JSON and travels in the JobGraph.
 */

/** Carries `T` for the compiler only. */
declare const phantom: unique symbol;

export type TypeDescriptor<T> = TypeShape & { readonly [phantom]?: T };

export type TypeShape =
  | {
      readonly kind:
        | 'string'
        | 'int32'
        | 'long'
        | 'int64'
        | 'double'
        | 'boolean'
        | 'timestamp'
        | 'bytes';
    }
  | { readonly kind: 'record'; readonly fields: { readonly [name: string]: TypeShape } }
  | { readonly kind: 'list'; readonly element: TypeShape }
  | { readonly kind: 'map'; readonly value: TypeShape }
  | { readonly kind: 'optional'; readonly type: TypeShape }
  | { readonly kind: 'union'; readonly types: readonly TypeShape[] }
  /** A string, number, bigint or boolean, whichever it is: keys without a declared type. */
  | { readonly kind: 'primitive' };

/** The TypeScript type that a descriptor describes. */
export type TypeOf<D> = D extends TypeDescriptor<infer T> ? T : never;

type AnyType = TypeDescriptor<any>; // oxlint-disable-line typescript/no-explicit-any

type Fields = { readonly [name: string]: AnyType };

type OptionalNames<F> = { [K in keyof F]: undefined extends TypeOf<F[K]> ? K : never }[keyof F];

type RecordOf<F> = { -readonly [K in Exclude<keyof F, OptionalNames<F>>]: TypeOf<F[K]> } & {
  -readonly [K in OptionalNames<F>]?: TypeOf<F[K]>;
};

const simple = <T>(
  kind: 'string' | 'int32' | 'long' | 'int64' | 'double' | 'boolean' | 'timestamp' | 'bytes',
) => ({ kind }) as TypeDescriptor<T>;

export const types = {
  string: simple<string>('string'),
  /** −2³¹ to 2³¹−1. */
  int32: simple<number>('int32'),
  /** A whole number that a `number` holds exactly: −(2⁵³−1) to 2⁵³−1. For counts and ids that are no bigint. */
  long: simple<number>('long'),
  /** A bigint of 64 bits. */
  int64: simple<bigint>('int64'),
  double: simple<number>('double'),
  boolean: simple<boolean>('boolean'),
  /** Epoch milliseconds as a number. */
  timestamp: simple<number>('timestamp'),
  bytes: simple<Uint8Array>('bytes'),
  /** An object with these fields; others are not sent to other tasks. The order is that of the encoding. */
  record<F extends Fields>(
    fields: F,
  ): TypeDescriptor<{ [K in keyof RecordOf<F>]: RecordOf<F>[K] }> {
    if (Object.hasOwn(fields, '__proto__'))
      throw new TypeError("a field cannot be called '__proto__'");
    return { kind: 'record', fields };
  },
  list<T>(element: TypeDescriptor<T>): TypeDescriptor<T[]> {
    return { kind: 'list', element };
  },
  /** A Map with string keys. */
  map<T>(value: TypeDescriptor<T>): TypeDescriptor<Map<string, T>> {
    return { kind: 'map', value };
  },
  /** The value, or `undefined`. A field of this type may be absent. */
  optional<T>(type: TypeDescriptor<T>): TypeDescriptor<T | undefined> {
    return type.kind === 'optional'
      ? (type as TypeDescriptor<T | undefined>)
      : { kind: 'optional', type };
  },
  /** One of several types; the first that a value fits is taken. Records must fit exactly, with no other field. */
  union<D extends readonly AnyType[]>(...alternatives: D): TypeDescriptor<TypeOf<D[number]>> {
    if (alternatives.length === 0 || alternatives.length > 256) {
      throw new RangeError(`a union has 1 to 256 alternatives, not ${alternatives.length}`);
    }
    return { kind: 'union', types: alternatives };
  },
};

/** `{ origin: string, delay?: int32 }`, for messages. */
export function describeType(type: TypeShape): string {
  switch (type.kind) {
    case 'record': {
      const fields = Object.entries(type.fields).map(([name, field]) =>
        field.kind === 'optional'
          ? `${name}?: ${describeType(field.type)}`
          : `${name}: ${describeType(field)}`,
      );
      return `{ ${fields.join(', ')} }`;
    }
    case 'list':
      return `list of ${describeType(type.element)}`;
    case 'map':
      return `map of ${describeType(type.value)}`;
    case 'optional':
      return `${describeType(type.type)} or nothing`;
    case 'union':
      return type.types.map(describeType).join(' or ');
    case 'primitive':
      return 'string, number, bigint or boolean';
    default:
      return type.kind;
  }
}
