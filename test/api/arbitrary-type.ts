/** Arbitrary types, each with values that fit it. */
import fc from 'fast-check';
import type { TypeShape } from '../../src/api/types.ts';

export interface TypedValues {
  readonly type: TypeShape;
  readonly values: readonly unknown[];
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  /** Lone surrogates, which have no UTF-8. */
  fc.string({ unit: fc.constantFrom('a', '\ud800', '\udc00', 'é'), maxLength: 30 }),
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'grapheme' }),
);
const float = fc.double();
const fieldName = fc
  .oneof(fc.constantFrom('a', 'b', 'origin', '0', 'constructor', 'x y', "'", '"\n'), fc.string())
  .filter((name) => name !== '__proto__' && name.isWellFormed());

const simpleType = fc.constantFrom<TypeShape>(
  { kind: 'string' },
  { kind: 'int32' },
  { kind: 'long' },
  { kind: 'int64' },
  { kind: 'double' },
  { kind: 'boolean' },
  { kind: 'timestamp' },
  { kind: 'bytes' },
  { kind: 'primitive' },
);

export const anyType: fc.Arbitrary<TypeShape> = fc.letrec<{ type: TypeShape }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    simpleType,
    fc
      .dictionary(fieldName, tie('type'), { maxKeys: 6, noNullPrototype: true })
      .map((fields): TypeShape => ({ kind: 'record', fields })),
    tie('type').map((element): TypeShape => ({ kind: 'list', element })),
    tie('type').map((value): TypeShape => ({ kind: 'map', value })),
    tie('type')
      .filter((type) => type.kind !== 'optional')
      .map((type): TypeShape => ({ kind: 'optional', type })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 4 })
      .map((types): TypeShape => ({ kind: 'union', types })),
  ),
})).type;

export function valueOf(type: TypeShape): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'string':
      return text;
    case 'int32':
      return fc.integer();
    case 'long':
      return fc.maxSafeInteger();
    case 'int64':
      return int64;
    case 'double':
    case 'timestamp':
      return float;
    case 'boolean':
      return fc.boolean();
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 });
    case 'primitive':
      return fc.oneof(text, float, int64, fc.boolean());
    case 'list':
      return fc.array(valueOf(type.element), { maxLength: 5 });
    case 'map':
      return fc
        .array(fc.tuple(text, valueOf(type.value)), { maxLength: 4 })
        .map((entries) => new Map(entries));
    case 'optional':
      return fc.oneof(fc.constant(undefined), valueOf(type.type));
    case 'union':
      return fc.oneof(...type.types.map(valueOf));
    case 'record':
      return fc
        .tuple(...Object.values(type.fields).map(valueOf))
        .map((values) =>
          Object.fromEntries(Object.keys(type.fields).map((name, i) => [name, values[i]] as const)),
        )
        .map((record) =>
          Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)),
        );
  }
}

export const typedValues: fc.Arbitrary<TypedValues> = anyType.chain((type) =>
  fc.array(valueOf(type), { minLength: 1, maxLength: 5 }).map((values) => ({ type, values })),
);
