/**
 * Source code of codecs, made of the shape of a type.
 *
 * S1  Kinds come from a fixed list and names are quoted, so that a descriptor from outside cannot bring
 *     code of its own.
 * S2  A run of fields of fixed width takes its room once; nothing of the writer is kept over a call that
 *     may take room (W1).
 */
import type { TypeShape } from './types.ts';

/** Makes names that are free. */
export type Fresh = () => string;

export function freshNames(): Fresh {
  let next = 0;
  return () => `x${next++}`;
}

interface FixedWidth {
  readonly size: number;
  /** Throws `0` when the value does not fit. */
  readonly check: (value: string) => string;
  readonly put: (at: string, value: string, isCanonical: boolean) => string;
  readonly get: (view: string, at: string) => string;
}

const float: FixedWidth = {
  size: 8,
  check: (v) => `if (typeof ${v} !== 'number') throw 0;`,
  put: (at, v, isCanonical) =>
    `d.setFloat64(${at}, ${isCanonical ? `${v} === 0 ? 0 : ${v} !== ${v} ? NaN : ${v}` : v}, true);`,
  get: (d, at) => `${d}.getFloat64(${at}, true)`,
};

export const fixed: { readonly [kind: string]: FixedWidth | undefined } = {
  double: float,
  timestamp: float,
  int32: {
    size: 4,
    check: (v) => `if ((${v} | 0) !== ${v}) throw 0;`,
    put: (at, v) => `d.setInt32(${at}, ${v}, true);`,
    get: (d, at) => `${d}.getInt32(${at}, true)`,
  },
  // In two halves of 32 bits, by arithmetic that is exact for 53 bits: no bigint is allocated.
  long: {
    size: 8,
    check: (v) => `if (!Number.isSafeInteger(${v})) throw 0;`,
    put: (at, v) =>
      `d.setInt32(${at}, ${v}, true); d.setInt32(${at} + 4, Math.floor(${v} / 4294967296), true);`,
    get: (d, at) => `${d}.getInt32(${at} + 4, true) * 4294967296 + ${d}.getUint32(${at}, true)`,
  },
  int64: {
    size: 8,
    check: (v) => `if (typeof ${v} !== 'bigint' || BigInt.asIntN(64, ${v}) !== ${v}) throw 0;`,
    put: (at, v) => `d.setBigInt64(${at}, ${v}, true);`,
    get: (d, at) => `${d}.getBigInt64(${at}, true)`,
  },
  boolean: {
    size: 1,
    check: (v) => `if (${v} !== true && ${v} !== false) throw 0;`,
    put: (at, v) => `d.setUint8(${at}, ${v} ? 1 : 0);`,
    get: (d, at) => `${d}.getUint8(${at}) !== 0`,
  },
};

interface Named {
  readonly name: string;
  readonly type: TypeShape;
}

/** Consecutive values: each of another width alone, those of fixed width together. */
function runsOf(values: readonly Named[]): (readonly Named[])[] {
  const runs: Named[][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last && fixed[value.type.kind] && fixed[last[0]!.type.kind]) last.push(value);
    else runs.push([value]);
  }
  return runs;
}

function layout(run: readonly Named[]): {
  readonly total: number;
  readonly offsets: readonly number[];
} {
  const offsets: number[] = [];
  let total = 0;
  for (const { type } of run) {
    offsets.push(total);
    total += fixed[type.kind]!.size;
  }
  return { total, offsets };
}

/** `write(w, v) { … }`. It throws `0` on the first value that does not fit; `misfit` finds out which. */
export function writerSource(type: TypeShape, isCanonical: boolean): string {
  const body = writeValues([{ name: 'v', type }], freshNames(), isCanonical);
  return `write(w, v) { try { ${body} } catch (e) { throw misfit(type, v, e); } }`;
}

function writeValues(values: readonly Named[], fresh: Fresh, isCanonical: boolean): string {
  const code = runsOf(values).map((run) =>
    fixed[run[0]!.type.kind]
      ? writeFixed(run, isCanonical)
      : writeVariable(run[0]!, fresh, isCanonical),
  );
  return code.join('\n');
}

/** S2 */
function writeFixed(run: readonly Named[], isCanonical: boolean): string {
  const { total, offsets } = layout(run);
  const checks = run.map(({ name, type }) => fixed[type.kind]!.check(name));
  const puts = run.map(({ name, type }, index) =>
    fixed[type.kind]!.put(`p + ${offsets[index]}`, name, isCanonical),
  );
  return `${checks.join(' ')} { const p = w.take(${total}), d = w.view; ${puts.join(' ')} }`;
}

function writeVariable({ name: v, type }: Named, fresh: Fresh, isCanonical: boolean): string {
  const one = (inner: TypeShape, name: string) =>
    writeValues([{ name, type: inner }], fresh, isCanonical);
  switch (type.kind) {
    case 'string':
      return `if (typeof ${v} !== 'string') throw 0; w.string(${v});`;
    case 'bytes':
      return `if (!(${v} instanceof Uint8Array)) throw 0; w.raw(${v});`;
    case 'primitive':
      return `writePrimitive(w, ${v});`;
    case 'optional':
      return `if (${v} === undefined) w.u8(0); else { w.u8(1); ${one(type.type, v)} }`;
    case 'record':
      return writeRecord(type, v, fresh, isCanonical);
    case 'list': {
      const [i, x] = [fresh(), fresh()];
      return (
        `if (!Array.isArray(${v})) throw 0; w.varint(${v}.length); ` +
        `for (let ${i} = 0; ${i} < ${v}.length; ${i}++) { const ${x} = ${v}[${i}]; ${one(type.element, x)} }`
      );
    }
    case 'map': {
      const [k, x] = [fresh(), fresh()];
      return (
        `if (!(${v} instanceof Map)) throw 0; w.varint(${v}.size); ` +
        `for (const [${k}, ${x}] of ${v}) { if (typeof ${k} !== 'string') throw 0; w.string(${k}); ${one(type.value, x)} }`
      );
    }
    case 'union': {
      const cases = type.types.map(
        (t, index) => `if (${testSource(t, v)}) { w.u8(${index}); ${one(t, v)} }`,
      );
      return `${cases.join(' else ')} else throw 0;`;
    }
    default:
      throw unknownKind(type);
  }
}

function writeRecord(
  type: Extract<TypeShape, { kind: 'record' }>,
  value: string,
  fresh: Fresh,
  isCanonical: boolean,
): string {
  const isRecord = recordTestSource(type, value);
  const fields = Object.entries(type.fields).map(([field, inner]) => ({
    field,
    type: inner,
    name: fresh(),
  }));
  if (fields.length === 0) return `${isRecord} w.u8(0);`;
  const gets = fields.map(({ field, name }) => `const ${name} = ${fieldSource(value, field)};`);
  return `${isRecord} ${gets.join(' ')}\n${writeValues(fields, fresh, isCanonical)}`;
}

/** Statements that refuse what is no record at all. */
export function recordTestSource(
  type: Extract<TypeShape, { kind: 'record' }>,
  value: string,
): string {
  // Where no field has to be there, anything would do.
  const isLoose = Object.values(type.fields).every(({ kind }) => kind === 'optional');
  const isObject = `(${value} !== null && typeof ${value} === 'object')`;
  return `if (!${isLoose ? `isRecord(${value})` : isObject}) throw 0;`;
}

/** A field that is absent must not be what every object inherits under its name (`constructor`). */
export function fieldSource(value: string, field: string): string {
  const name = JSON.stringify(field);
  return field in Object.prototype
    ? `Object.hasOwn(${value}, ${name}) ? ${value}[${name}] : undefined`
    : `${value}[${name}]`;
}

/**
 * Whether a value is of an alternative of a union: the first that it fits is taken. A record must have no
 * other fields: they would be lost, and the alternative that has them may come later.
 */
export function testSource(type: TypeShape, v: string): string {
  switch (type.kind) {
    case 'string':
    case 'boolean':
      return `typeof ${v} === '${type.kind}'`;
    case 'int32':
      return `(typeof ${v} === 'number' && (${v} | 0) === ${v})`;
    case 'double':
    case 'timestamp':
      return `typeof ${v} === 'number'`;
    case 'long':
      return `Number.isSafeInteger(${v})`;
    case 'int64':
      return `(typeof ${v} === 'bigint' && BigInt.asIntN(64, ${v}) === ${v})`;
    case 'bytes':
      return `${v} instanceof Uint8Array`;
    case 'primitive':
      return `['string', 'number', 'bigint', 'boolean'].includes(typeof ${v})`;
    case 'list':
      return `(Array.isArray(${v}) && ${v}.every((e) => ${testSource(type.element, 'e')}))`;
    case 'map':
      return `(${v} instanceof Map && [...${v}].every(([k, e]) => typeof k === 'string' && ${testSource(type.value, 'e')}))`;
    case 'optional':
      return `(${v} === undefined || ${testSource(type.type, v)})`;
    case 'union':
      return `(${type.types.map((t) => testSource(t, v)).join(' || ')})`;
    case 'record': {
      const fields = Object.entries(type.fields).map(([name, t]) =>
        testSource(t, `(${fieldSource(v, name)})`),
      );
      const isKnown = [
        'false',
        ...Object.keys(type.fields).map((name) => `k === ${JSON.stringify(name)}`),
      ].join(' || ');
      const hasNoOther = `Object.keys(${v}).every((k) => ${isKnown})`;
      return `(${[`isRecord(${v})`, ...fields, hasNoOther].join(' && ')})`;
    }
    default:
      throw unknownKind(type);
  }
}

/** `read(r) { … }` */
export function readerSource(type: TypeShape): string {
  return `read(r) { ${readValues([{ name: 'v', type }], freshNames())} return v; }`;
}

/** Statements that leave each value in a new variable of its name. */
function readValues(values: readonly Named[], fresh: Fresh): string {
  const code = runsOf(values).map((run) =>
    fixed[run[0]!.type.kind] ? readFixed(run, fresh) : readVariable(run[0]!, fresh),
  );
  return code.join('\n');
}

function readFixed(run: readonly Named[], fresh: Fresh): string {
  const { total, offsets } = layout(run);
  const [p, d] = [fresh(), fresh()];
  const gets = run.map(
    ({ name, type }, index) =>
      `const ${name} = ${fixed[type.kind]!.get(d, `${p} + ${offsets[index]}`)};`,
  );
  return `const ${p} = r.take(${total}), ${d} = r.view; ${gets.join(' ')}`;
}

function readVariable({ name: v, type }: Named, fresh: Fresh): string {
  const one = (inner: TypeShape, name: string) => readValues([{ name, type: inner }], fresh);
  switch (type.kind) {
    case 'string':
      return `const ${v} = r.string();`;
    case 'bytes':
      return `const ${v} = r.raw();`;
    case 'primitive':
      return `const ${v} = readPrimitive(r);`;
    case 'record':
      return readRecord(type, v, fresh);
    case 'optional': {
      const x = fresh();
      return `let ${v}; if (r.u8() !== 0) { ${one(type.type, x)} ${v} = ${x}; }`;
    }
    case 'list': {
      const [n, x] = [fresh(), fresh()];
      return `const ${v} = []; for (let ${n} = r.count(); ${n} > 0; ${n}--) { ${one(type.element, x)} ${v}.push(${x}); }`;
    }
    case 'map': {
      const [n, k, x] = [fresh(), fresh(), fresh()];
      return (
        `const ${v} = new Map(); for (let ${n} = r.count(); ${n} > 0; ${n}--) ` +
        `{ const ${k} = r.string(); ${one(type.value, x)} ${v}.set(${k}, ${x}); }`
      );
    }
    case 'union': {
      const cases = type.types.map((t, index) => {
        const x = fresh();
        return `case ${index}: { ${one(t, x)} ${v} = ${x}; break; }`;
      });
      return `let ${v}; switch (r.u8()) { ${cases.join(' ')} default: throw new RangeError('no such alternative'); }`;
    }
    default:
      throw unknownKind(type);
  }
}

function readRecord(
  type: Extract<TypeShape, { kind: 'record' }>,
  value: string,
  fresh: Fresh,
): string {
  const fields = Object.entries(type.fields).map(([field, inner]) => ({
    field,
    type: inner,
    name: fresh(),
  }));
  if (fields.length === 0) return `r.take(1); const ${value} = {};`;
  const isOptional = (inner: TypeShape) => inner.kind === 'optional';
  const pairs = fields
    .filter((f) => !isOptional(f.type))
    .map((f) => `${JSON.stringify(f.field)}: ${f.name}`);
  // An absent field stays absent: `in` and `Object.keys` see what the sender had.
  const optional = fields
    .filter((f) => isOptional(f.type))
    .map((f) => `if (${f.name} !== undefined) ${value}[${JSON.stringify(f.field)}] = ${f.name};`);
  return `${readValues(fields, fresh)}\nconst ${value} = { ${pairs.join(', ')} }; ${optional.join(' ')}`;
}

/** S1 */
export function unknownKind(type: TypeShape): TypeError {
  return new TypeError(
    `there is no type of the kind ${JSON.stringify((type as { kind: unknown }).kind)}`,
  );
}
