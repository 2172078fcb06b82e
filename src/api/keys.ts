/**
 * Keys → key groups → subtasks. Part of the savepoint format: pinned by golden values in the tests.
 *
 *     h        = murmur3 (32 bits, seed 0) of the key's canonical encoding: its codec's bytes, where
 *                −0 is written as 0 and every NaN alike
 *     group    = murmurHash(h) mod max parallelism          Flink: KeyGroupRangeAssignment, MathUtils
 *     subtask  = group × parallelism / max parallelism
 */
import { ByteWriter } from './bytes.ts';
import { compileCodec } from './codec.ts';
import { type TypeShape, describeType } from './types.ts';

/**
 * Why values of a type cannot be keys; `null` when they can: their encoding must be canonical.
 */
export function whyNoKey(type: TypeShape | null): string | null {
  if (type === null) return 'its type is not declared';
  switch (type.kind) {
    case 'map':
      return 'the order of the entries of a map is not defined';
    case 'union':
      return 'the same value may fit several alternatives of a union';
    case 'record':
      return (
        Object.values(type.fields)
          .map(whyNoKey)
          .find((why) => why !== null) ?? null
      );
    case 'list':
      return whyNoKey(type.element);
    case 'optional':
      return whyNoKey(type.type);
    default:
      return null;
  }
}

/** Whether keys of the type are equal exactly when `===` says so (a Map can hold them as they are). */
export function isIdentityKey(type: TypeShape): boolean {
  return [
    'string',
    'int32',
    'long',
    'int64',
    'double',
    'boolean',
    'timestamp',
    'primitive',
  ].includes(type.kind);
}

/** Writes the canonical encoding of a key to the start of the writer. */
function compileKeyWriter(type: TypeShape, writer: ByteWriter): (key: unknown) => void {
  const why = whyNoKey(type);
  if (why !== null) throw new TypeError(`a ${describeType(type)} cannot be a key: ${why}`);
  const codec = compileCodec<unknown>(type, { canonical: true });
  return (key) => {
    writer.position = 0;
    try {
      codec.write(writer, key);
    } catch (error) {
      throw keyError(type, error);
    }
  };
}

function keyError(type: TypeShape, error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const hint =
    type.kind === 'primitive'
      ? '. Other keys need their type declared: keyBy(selector, { type })'
      : '';
  return new TypeError(`the key of a record does not fit: ${error.message}${hint}`, {
    cause: error,
  });
}

/**
 * Allocates nothing for keys that are strings or numbers.
 * @returns a function key → hash of 32 bits, signed. @throws TypeError when a key is not of the type.
 */
export function compileKeyHash(type: TypeShape): (key: unknown) => number {
  const writer = new ByteWriter();
  const write = compileKeyWriter(type, writer);
  return (key) => {
    write(key);
    return murmur3(writer.bytes, writer.position);
  };
}

/** @returns a function key → key group. @throws TypeError when a key is not of the type. */
export function compileKeyGroup(type: TypeShape, maxParallelism: number): (key: unknown) => number {
  const writer = new ByteWriter();
  const write = compileKeyWriter(type, writer);
  return (key) => {
    write(key);
    return flinkMurmurHash(murmur3(writer.bytes, writer.position)) % maxParallelism;
  };
}

/** @returns a function key → text that is equal exactly for equal keys. For keys that are objects. */
export function compileKeyText(type: TypeShape): (key: unknown) => string {
  const writer = new ByteWriter();
  const write = compileKeyWriter(type, writer);
  return (key) => {
    write(key);
    return Buffer.from(writer.bytes.buffer, 0, writer.position).toString('latin1');
  };
}

/** Which subtask owns a key group. */
export function subtaskOf(keyGroup: number, parallelism: number, maxParallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** Flink's default: 1.5 × parallelism rounded up to a power of two, within 128 and 32768. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2);
  const power = 2 ** (32 - Math.clz32(wanted - 1));
  return Math.min(Math.max(power, 128), 32_768);
}

const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

function mix(k: number): number {
  return Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
}

function finish(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** MurmurHash3_x86_32, seed 0 (Austin Appleby, public domain algorithm). Signed. */
export function murmur3(bytes: Uint8Array, length: number): number {
  let h = 0;
  const blocks = length & ~3;
  for (let i = 0; i < blocks; i += 4) {
    const k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    h = Math.imul(rotate(h ^ mix(k), 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let i = length - 1; i >= blocks; i--) tail = (tail << 8) | bytes[i]!;
  if (length > blocks) h ^= mix(tail);
  return finish(h ^ length);
}

/** Flink's MathUtils.murmurHash: spreads 32 bits; never negative. */
export function flinkMurmurHash(code: number): number {
  let h = Math.imul(rotate(mix(code), 13), 5) + 0xe6546b64;
  h = finish(h ^ 4);
  if (h >= 0) return h;
  return h === -2_147_483_648 ? 0 : -h;
}
