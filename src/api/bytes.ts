/**
 * Growing writer and bounded reader over bytes, for codecs. Little-endian.
 *
 * W1  Room is reserved before every write. When the buffer is too small the owner's `onFull` moves what
 *     belongs to the current record (from `recordStart`) into another buffer; without one the buffer
 *     grows. `bytes`, `view` and `position` are new after that: nobody keeps them over a reservation.
 * W2  A reader never goes beyond `end`: each read asks first, lengths that were read included.
 */

/** A length that `varint` never writes: 0 in two bytes. */
const utf16Mark = [0x80, 0x00] as const;

const longestLoop = 20;
/** From here on the exact size is counted before room is taken for a string. */
const countedFrom = 1024;

export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  /** Where the record in work begins. */
  recordStart = 0;
  /** Must leave room for `needed` bytes at `position`. */
  onFull: (writer: ByteWriter, needed: number) => void = grow;
  #buffer: Buffer;

  constructor(bytes: Uint8Array = new Uint8Array(256)) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#buffer = bufferOf(bytes);
  }

  /** Goes on in another buffer. */
  use(bytes: Uint8Array, position: number): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#buffer = bufferOf(bytes);
    this.position = position;
  }

  reserve(needed: number): void {
    if (this.position + needed > this.bytes.length) this.#makeRoom(needed);
  }

  /** Reserves `count` bytes, moves behind them and says where they begin. */
  take(count: number): number {
    if (this.position + count > this.bytes.length) this.#makeRoom(count);
    const at = this.position;
    this.position = at + count;
    return at;
  }

  u8(value: number): void {
    const at = this.take(1);
    this.bytes[at] = value;
  }

  i32(value: number): void {
    const at = this.take(4);
    this.view.setInt32(at, value, true);
  }

  i64(value: bigint): void {
    const at = this.take(8);
    this.view.setBigInt64(at, value, true);
  }

  f64(value: number): void {
    const at = this.take(8);
    this.view.setFloat64(at, value, true);
  }

  /** Unsigned LEB128; up to 2³²−1. */
  varint(value: number): void {
    this.reserve(5);
    const { bytes } = this;
    let at = this.position;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.position = at;
  }

  /** See codec.ts. */
  string(value: string): void {
    const { length } = value;
    // Short ASCII is by far the most frequent: one pass, no call into native code.
    if (length < longestLoop) {
      this.reserve(length + 1);
      const { bytes, position } = this;
      let at = position + 1;
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) return this.#utf8(value);
        bytes[at++] = code;
      }
      bytes[position] = length;
      this.position = at;
      return;
    }
    this.#utf8(value);
  }

  #utf8(value: string): void {
    const { length } = value;
    if (!value.isWellFormed()) return this.#utf16(value);
    this.reserve((length < countedFrom ? length * 3 : Buffer.byteLength(value)) + 5);
    // The length comes first and is not known before: assume ASCII, move the text when that was wrong.
    const assumed = this.position + varintSize(length);
    const written = this.#buffer.write(value, assumed, 'utf8');
    const body = this.position + varintSize(written);
    if (body !== assumed) this.bytes.copyWithin(body, assumed, assumed + written);
    this.varint(written);
    this.position = body + written;
  }

  /** Text with lone surrogates, which UTF-8 has no form for. */
  #utf16(value: string): void {
    this.reserve(7 + value.length * 2);
    this.bytes[this.position++] = utf16Mark[0];
    this.bytes[this.position++] = utf16Mark[1];
    this.varint(value.length * 2);
    this.position += this.#buffer.write(value, this.position, 'utf16le');
  }

  /** Length as varint, then the bytes. */
  raw(value: Uint8Array, start = 0, end = value.length): void {
    const length = end - start;
    this.varint(length);
    this.reserve(length);
    this.bytes.set(length === value.length ? value : value.subarray(start, end), this.position);
    this.position += length;
  }

  /** What was written since the start of the buffer. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  #makeRoom(needed: number): void {
    this.onFull(this, needed); // W1
    if (this.position + needed > this.bytes.length) {
      throw new RangeError(`a full buffer was replaced by one without room for ${needed} bytes`);
    }
  }
}

function grow(writer: ByteWriter, needed: number): void {
  const bigger = new Uint8Array(Math.max(writer.bytes.length * 2, writer.position + needed));
  bigger.set(writer.written());
  writer.use(bigger, writer.position);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Reads what a ByteWriter wrote. Every read beyond the end throws a RangeError. */
export class ByteReader {
  bytes: Uint8Array;
  view: DataView;
  position: number;
  end: number;
  #buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#buffer = bufferOf(bytes);
    this.position = 0;
    this.end = bytes.length;
  }

  /** Goes on with other bytes. */
  use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#buffer = bufferOf(bytes);
    this.position = 0;
    this.end = bytes.length;
  }

  /** Moves behind `count` bytes and says where they begin. */
  take(count: number): number {
    const at = this.position;
    if (at + count > this.end) throw new RangeError('the data ends in the middle of a value'); // W2
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a length has too many bytes');
  }

  /** A number of elements that follow, each of one byte at least: a corrupt one is noticed at once. */
  count(): number {
    const count = this.varint();
    if (count > this.end - this.position)
      throw new RangeError('there are fewer elements than announced');
    return count;
  }

  /** Bytes that are no UTF-8 become U+FFFD. */
  string(): string {
    const start = this.position;
    const length = this.varint();
    if (length === 0 && this.position - start === utf16Mark.length) return this.#utf16();
    const at = this.take(length);
    if (length <= longestAscii) {
      const text = shortAscii(this.bytes, at, length);
      if (text !== null) return text;
    }
    return this.#buffer.toString('utf8', at, at + length);
  }

  #utf16(): string {
    const length = this.varint();
    const at = this.take(length);
    return this.#buffer.toString('utf16le', at, at + length);
  }

  /** A copy: the buffer will be used again. */
  raw(): Uint8Array {
    const length = this.varint();
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }
}

const longestAscii = 24;

/**
 * One call of `fromCharCode` makes a short string several times faster than a call into native code or a
 * loop that appends, but takes its characters as arguments: one case for each length. Gives `null` when
 * there is more than ASCII.
 */
const shortAscii = compileShortAscii();

function compileShortAscii(): (bytes: Uint8Array, at: number, length: number) => string | null {
  const cases = Array.from({ length: longestAscii }, (_, i) => {
    const names = Array.from({ length: i + 1 }, (__, n) => `c${n}`);
    const reads = names.map((name, n) => `${name} = b[at + ${n}]`).join(', ');
    return `case ${i + 1}: { const ${reads}; return (${names.join('|')}) > 127 ? null : f(${names.join(',')}); }`;
  });
  const source = `return (b, at, n) => { switch (n) { case 0: return ''; ${cases.join('\n')} default: return null; } };`;
  // Made of numbers alone.
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function('f', source)(String.fromCharCode);
}
