/**
 * Growing writer and bounded reader over bytes, for codecs. Little-endian.
 *
 * W1  `reserve(n)` is called before every write of n bytes. When the buffer is too small the owner's
 *     `onFull` moves what belongs to the current record (from `recordStart`) into another buffer; without
 *     one the buffer grows.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  /** Where the record in work begins. */
  recordStart = 0;
  /** Must leave room for `needed` bytes at `position`. */
  onFull: (writer: ByteWriter, needed: number) => void = grow;

  constructor(bytes: Uint8Array = new Uint8Array(256)) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  /** Goes on in another buffer. */
  use(bytes: Uint8Array, position: number): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.position = position;
  }

  reserve(needed: number): void {
    if (this.position + needed > this.bytes.length) this.onFull(this, needed);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  i32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.position, value, true);
    this.position += 4;
  }

  i64(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.position, value, true);
    this.position += 8;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** Unsigned LEB128; up to 2³²−1. */
  varint(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** Length as varint, then UTF-8. A lone surrogate becomes U+FFFD. */
  string(value: string): void {
    const { length } = value;
    // Short ASCII is by far the most frequent: one pass, no call into native code.
    if (length < 64) {
      this.reserve(length + 5);
      const start = this.position;
      const { bytes } = this;
      let at = start + 1;
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) {
          this.#longString(value);
          return;
        }
        bytes[at++] = code;
      }
      bytes[start] = length;
      this.position = at;
      return;
    }
    this.#longString(value);
  }

  #longString(value: string): void {
    const room = value.length * 3;
    this.reserve(room + 5);
    // The length comes first and its own length is not known: write behind the longest, then close up.
    const { written } = encoder.encodeInto(value, this.bytes.subarray(this.position + 5));
    const body = this.position + 5;
    this.varint(written);
    this.bytes.copyWithin(this.position, body, body + written);
    this.position += written;
  }

  raw(value: Uint8Array): void {
    this.varint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  /** What was written since the start of the buffer. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }
}

function grow(writer: ByteWriter, needed: number): void {
  const bigger = new Uint8Array(Math.max(writer.bytes.length * 2, writer.position + needed));
  bigger.set(writer.bytes.subarray(0, writer.position));
  writer.use(bigger, writer.position);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads what a ByteWriter wrote. Every read beyond the end throws a RangeError. */
export class ByteReader {
  bytes: Uint8Array;
  view: DataView;
  position: number;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.position = 0;
    this.end = bytes.length;
  }

  /** Goes on with other bytes. */
  use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.position = 0;
    this.end = bytes.length;
  }

  #take(count: number): number {
    const at = this.position;
    if (at + count > this.end) throw new RangeError('the data ends in the middle of a value');
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  i32(): number {
    return this.view.getInt32(this.#take(4), true);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.#take(8), true);
  }

  f64(): number {
    return this.view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a length has too many bytes');
  }

  string(): string {
    const length = this.varint();
    const at = this.#take(length);
    const { bytes } = this;
    if (length < 24) {
      let text = '';
      for (let i = at; i < at + length; i++) {
        const code = bytes[i]!;
        if (code > 0x7f) return decoder.decode(bytes.subarray(at, at + length));
        text += String.fromCharCode(code);
      }
      return text;
    }
    return decoder.decode(bytes.subarray(at, at + length));
  }

  /** A copy: the buffer will be used again. */
  raw(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.bytes.slice(at, at + length);
  }
}
