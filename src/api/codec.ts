/**
 * Codecs: a writer and a reader compiled for the shape of a type. In wire order, little-endian:
 *
 *     record    = field* in the order of declaration, or 0 when there are none
 *     optional  = 0 | 1 value
 *     union     = index:u8 value
 *     list      = count:varint value*
 *     map       = count:varint (key:string value)*
 *     string    = length:varint utf8       bytes = length:varint byte*
 *               | 0x80 0x00 length:varint utf16        with lone surrogates: 0 in two bytes, then UTF-16
 *     int32     = i32                       int64 = i64
 *     double    = f64                       timestamp = f64
 *     boolean   = 0 | 1                     long = i64, of 53 bits: the bytes of the equal int64; −0 is 0
 *     primitive = tag:u8 (string | f64 | i64 | boolean)      tags: 0 1 2 3
 *     untyped   = length:varint msgpack
 *
 * No value takes less than one byte, so that a count is never larger than what is left of the data.
 * Fixed widths, not varints, for numbers: fields of fixed width that stand side by side are written after
 * one check for room. Strings and lists have varint lengths: most are short.
 */
import { Packr, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from 'msgpackr/pack';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { describeValue, findMisfits, isRecord } from './check-value.ts';
import { readerSource, writerSource } from './codec-source.ts';
import { checkSource, copySource } from './copy-source.ts';
import { packrOptions, untypedCopier } from './copy-untyped.ts';
import type { TypeShape } from './types.ts';

export interface Codec<T> {
  /** @throws TypeError naming the path when the value does not fit the type. */
  write(writer: ByteWriter, value: T): void;
  /** @throws RangeError when the bytes are not what `write` makes. */
  read(reader: ByteReader): T;
  /** As `write` does, without writing. @throws TypeError naming the path. */
  readonly check: (value: T) => void;
  /** What `read` gives of what `write` makes of the value: nobody else holds it. @throws as they do. */
  readonly copy: (value: T) => T;
}

export interface CodecOptions {
  /** Equal values give equal bytes: −0 is written as 0, every NaN alike. Needs a type that keys may have. */
  readonly canonical?: boolean;
}

/**
 * @param type `null`: any value, by msgpack with shared structures; −0 arrives as 0. Such a codec has
 *   state: writer and reader of one stream each need their own, and the reader must see everything the
 *   writer wrote.
 * @throws TypeError when the descriptor is not one that `types` makes.
 */
export function compileCodec<T>(type: TypeShape | null, options: CodecOptions = {}): Codec<T> {
  if (type === null) return untypedCodec<T>();
  const isCanonical = options.canonical === true;
  const writePrimitive = primitiveWriter(isCanonical);
  const helpers = { misfit, isRecord, writePrimitive, readPrimitive, checkPrimitive };
  const source = [
    'const { misfit, isRecord, writePrimitive, readPrimitive, checkPrimitive } = helpers;',
    `return {\n${writerSource(type, isCanonical)},\n${readerSource(type)},\n${checkSource(type)},\n${copySource(type)} };`,
  ].join('\n');
  // The source is made of the shape alone: kinds are known ones, names of fields are quoted as JSON.
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function('helpers', 'type', source)(helpers, type) as Codec<T>;
}

interface Packed extends Uint8Array {
  readonly start: number;
  readonly end: number;
}

function untypedCodec<T>(): Codec<T> {
  // Sequential: each message carries the structures that it is the first to use. Binary values are copied
  // out of the reader's buffer, which will be used again.
  const options = { sequential: true, ...packrOptions };
  const packr = new Packr(options as ConstructorParameters<typeof Packr>[0]);
  const mode = REUSE_BUFFER_MODE | RESET_BUFFER_MODE;
  return {
    check: () => {},
    copy: untypedCopier() as (value: T) => T,
    write(writer, value) {
      const packed = packr.pack(value, mode) as unknown as Packed;
      writer.raw(packed, packed.start, packed.end);
    },
    read(reader) {
      const length = reader.varint();
      const start = reader.take(length);
      try {
        return packr.unpack(reader.bytes, { start, end: start + length }) as T;
      } catch (error) {
        throw new RangeError(`not a value in msgpack: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
  };
}

/** What is wrong with a value; an error that is not about the value passes unchanged. */
function misfit(type: TypeShape, value: unknown, thrown: unknown): unknown {
  if (thrown !== 0 && !(thrown instanceof TypeError)) return thrown;
  const found = findMisfits(type, value).find(({ unknownField }) => unknownField === null);
  if (found === undefined)
    return thrown === 0 ? new TypeError(`${describeValue(value)} does not fit its type`) : thrown;
  return new TypeError(`${found.path === '' ? 'the value' : found.path}: ${found.message}`);
}

function primitiveWriter(isCanonical: boolean): (writer: ByteWriter, value: unknown) => void {
  return (writer, value) => {
    switch (typeof value) {
      case 'string':
        writer.u8(0);
        return writer.string(value);
      case 'number':
        writer.u8(1);
        return writer.f64(isCanonical ? canonicalNumber(value) : value);
      case 'bigint':
        if (BigInt.asIntN(64, value) !== value) throw 0; // oxlint-disable-line typescript/only-throw-error
        writer.u8(2);
        return writer.i64(value);
      case 'boolean':
        writer.u8(3);
        return writer.u8(value ? 1 : 0);
      default:
        throw 0; // oxlint-disable-line typescript/only-throw-error -- becomes a TypeError in `misfit`
    }
  };
}

function checkPrimitive(value: unknown): void {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return;
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return;
  }
  throw 0; // oxlint-disable-line typescript/only-throw-error -- becomes a TypeError in `misfit`
}

function canonicalNumber(value: number): number {
  if (value === 0) return 0;
  return Number.isNaN(value) ? Number.NaN : value;
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
