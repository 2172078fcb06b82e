/**
 * Codecs: a writer and a reader compiled for the shape of a type. In wire order:
 *
 *     record    = field* in the order of declaration
 *     optional  = 0 | 1 value
 *     union     = index:u8 value
 *     list      = count:varint value*
 *     map       = count:varint (key:string value)*
 *     string    = length:varint utf8       bytes = length:varint byte*
 *     int32     = i32                       int64 = i64
 *     double    = f64                       timestamp = f64
 *     boolean   = u8
 *     primitive = tag:u8 (string | f64 | i64 | boolean)      tags: 0 1 2 3
 *     untyped   = length:varint msgpack
 */
import { Packr } from 'msgpackr';
import { ByteReader, ByteWriter } from './bytes.ts';
import { describeValue, findMisfits } from './check-value.ts';
import type { TypeShape } from './types.ts';

export interface Codec<T> {
  /** @throws TypeError naming the path when the value does not fit the type. */
  write(writer: ByteWriter, value: T): void;
  /** @throws RangeError when the bytes are not what `write` makes. */
  read(reader: ByteReader): T;
}

/**
 * @param type `null`: any value, by msgpack with shared structures. Such a codec has state: writer and
 *   reader of one stream each need their own, and the reader must see everything the writer wrote.
 */
export function compileCodec<T>(type: TypeShape | null): Codec<T> {
  return type === null ? untypedCodec<T>() : compiled<T>(type);
}

function untypedCodec<T>(): Codec<T> {
  // Without a save callback each message carries the structures that it uses first.
  const packr = new Packr({ sequential: true, mapsAsObjects: false, int64AsType: 'bigint' } as never);
  return {
    write: (writer, value) => writer.raw(packr.pack(value) as Uint8Array),
    read: (reader) => packr.unpack(reader.raw()) as T,
  };
}

function compiled<T>(type: TypeShape): Codec<T> {
  const helpers = { misfit, primitive: { write: writePrimitive, read: readPrimitive } };
  const names = { next: 0 };
  const source = [
    `const { misfit, primitive } = helpers;`,
    `return {`,
    `  write(w, v) {`,
    `    try { ${writeCode(type, 'v', names)} }`,
    `    catch (e) { throw misfit(type, v, e); }`,
    `  },`,
    `  read(r) { ${readCode(type, 'v', names)} return v; },`,
    `};`,
  ].join('\n');
  // The source is made of the shape alone; field names are quoted as JSON.
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function('helpers', 'type', source)(helpers, type) as Codec<T>;
}

interface Names {
  next: number;
}

const fresh = (names: Names) => `x${names.next++}`;

/** Throws `0` on the first value that does not fit; `misfit` then finds out what is wrong. */
function writeCode(type: TypeShape, value: string, names: Names): string {
  switch (type.kind) {
    case 'string':
      return `if (typeof ${value} !== 'string') throw 0; w.string(${value});`;
    case 'int32':
      return `if ((${value} | 0) !== ${value}) throw 0; w.i32(${value});`;
    case 'int64':
      return `if (typeof ${value} !== 'bigint') throw 0; w.i64(${value});`;
    case 'double':
    case 'timestamp':
      return `if (typeof ${value} !== 'number') throw 0; w.f64(${value});`;
    case 'boolean':
      return `if (${value} !== true && ${value} !== false) throw 0; w.u8(${value} ? 1 : 0);`;
    case 'bytes':
      return `if (!(${value} instanceof Uint8Array)) throw 0; w.raw(${value});`;
    case 'primitive':
      return `primitive.write(w, ${value});`;
    case 'record': {
      const fields = Object.entries(type.fields).map(([name, field]) => {
        const x = fresh(names);
        return `const ${x} = ${value}[${JSON.stringify(name)}]; ${writeCode(field, x, names)}`;
      });
      return `if (${value} === null || typeof ${value} !== 'object') throw 0; ${fields.join('\n')}`;
    }
    case 'optional':
      return `if (${value} === undefined) w.u8(0); else { w.u8(1); ${writeCode(type.type, value, names)} }`;
    case 'list': {
      const x = fresh(names);
      return `if (!Array.isArray(${value})) throw 0; w.varint(${value}.length); for (const ${x} of ${value}) { ${writeCode(type.element, x, names)} }`;
    }
    case 'map': {
      const [k, x] = [fresh(names), fresh(names)];
      return `if (!(${value} instanceof Map)) throw 0; w.varint(${value}.size); for (const [${k}, ${x}] of ${value}) { w.string(${k}); ${writeCode(type.value, x, names)} }`;
    }
    case 'union':
      return `${type.types
        .map((t, index) => `if (${testCode(t, value)}) { w.u8(${index}); ${writeCode(t, value, names)} }`)
        .join(' else ')} else throw 0;`;
  }
}

/** Whether a value is of an alternative of a union. Records are told apart by their fields' names. */
function testCode(type: TypeShape, value: string): string {
  switch (type.kind) {
    case 'int32':
      return `(typeof ${value} === 'number' && (${value} | 0) === ${value})`;
    case 'double':
    case 'timestamp':
      return `typeof ${value} === 'number'`;
    case 'int64':
      return `typeof ${value} === 'bigint'`;
    case 'bytes':
      return `${value} instanceof Uint8Array`;
    case 'list':
      return `Array.isArray(${value})`;
    case 'map':
      return `${value} instanceof Map`;
    case 'optional':
      return `(${value} === undefined || ${testCode(type.type, value)})`;
    case 'union':
      return `(${type.types.map((t) => testCode(t, value)).join(' || ')})`;
    case 'primitive':
      return `(typeof ${value} !== 'object' && typeof ${value} !== 'undefined')`;
    case 'record': {
      const fields = Object.entries(type.fields).map(([name, field]) =>
        testCode(field, `${value}[${JSON.stringify(name)}]`),
      );
      return `(${[`${value} !== null`, `typeof ${value} === 'object'`, ...fields].join(' && ')})`;
    }
    default:
      return `typeof ${value} === '${type.kind}'`;
  }
}

/** Statements that leave the value in a new constant `target`. */
function readCode(type: TypeShape, target: string, names: Names): string {
  switch (type.kind) {
    case 'string':
      return `const ${target} = r.string();`;
    case 'int32':
      return `const ${target} = r.i32();`;
    case 'int64':
      return `const ${target} = r.i64();`;
    case 'double':
    case 'timestamp':
      return `const ${target} = r.f64();`;
    case 'boolean':
      return `const ${target} = r.u8() !== 0;`;
    case 'bytes':
      return `const ${target} = r.raw();`;
    case 'primitive':
      return `const ${target} = primitive.read(r);`;
    case 'record': {
      const entries = Object.entries(type.fields).map(([name, field]) => ({ name, field, x: fresh(names) }));
      const reads = entries.map(({ field, x }) => readCode(field, x, names));
      const pairs = entries
        .filter(({ field }) => field.kind !== 'optional')
        .map(({ name, x }) => `${JSON.stringify(name)}: ${x}`);
      // An absent field stays absent: `in` and `Object.keys` see what the sender had.
      const optional = entries
        .filter(({ field }) => field.kind === 'optional')
        .map(({ name, x }) => `if (${x} !== undefined) ${target}[${JSON.stringify(name)}] = ${x};`);
      return `${reads.join('\n')} const ${target} = { ${pairs.join(', ')} }; ${optional.join(' ')}`;
    }
    case 'optional': {
      const x = fresh(names);
      return `let ${target}; if (r.u8() !== 0) { ${readCode(type.type, x, names)} ${target} = ${x}; }`;
    }
    case 'list': {
      const [n, x] = [fresh(names), fresh(names)];
      return `const ${target} = []; for (let ${n} = r.varint(); ${n} > 0; ${n}--) { ${readCode(type.element, x, names)} ${target}.push(${x}); }`;
    }
    case 'map': {
      const [n, k, x] = [fresh(names), fresh(names), fresh(names)];
      return `const ${target} = new Map(); for (let ${n} = r.varint(); ${n} > 0; ${n}--) { const ${k} = r.string(); ${readCode(type.value, x, names)} ${target}.set(${k}, ${x}); }`;
    }
    case 'union': {
      const cases = type.types.map((t, index) => {
        const x = fresh(names);
        return `case ${index}: { ${readCode(t, x, names)} ${target} = ${x}; break; }`;
      });
      return `let ${target}; switch (r.u8()) { ${cases.join(' ')} default: throw new RangeError('no such alternative'); }`;
    }
  }
}

/** What is wrong with a value; an error that is not about the value passes unchanged. */
function misfit(type: TypeShape, value: unknown, thrown: unknown): unknown {
  if (thrown !== 0 && !(thrown instanceof TypeError)) return thrown;
  const [first] = findMisfits(type, value);
  if (!first) return thrown === 0 ? new TypeError(`${describeValue(value)} does not fit its type`) : thrown;
  return new TypeError(`${first.path === '' ? 'the value' : first.path}: ${first.message}`);
}

function writePrimitive(writer: ByteWriter, value: unknown): void {
  switch (typeof value) {
    case 'string':
      writer.u8(0);
      return writer.string(value);
    case 'number':
      writer.u8(1);
      return writer.f64(value);
    case 'bigint':
      writer.u8(2);
      return writer.i64(value);
    case 'boolean':
      writer.u8(3);
      return writer.u8(value ? 1 : 0);
    default:
      throw 0; // oxlint-disable-line typescript/only-throw-error -- becomes a TypeError in `misfit`
  }
}

function readPrimitive(reader: ByteReader): unknown {
  switch (reader.u8()) {
    case 0:
      return reader.string();
    case 1:
      return reader.f64();
    case 2:
      return reader.i64();
    case 3:
      return reader.u8() !== 0;
    default:
      throw new RangeError('no such kind of primitive');
  }
}
