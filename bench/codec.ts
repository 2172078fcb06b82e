/**
 * Compiled codecs against msgpack, on rows of about 170 bytes: what declaring a type is worth. Prints
 * rows a second and the ratio compiled / msgpack for writing, reading and both.
 *
 * Run: node bench/codec.ts [thousands of rows]
 */
import { ByteReader, ByteWriter } from '../src/api/bytes.ts';
import { type Codec, compileCodec } from '../src/api/codec.ts';
import { compileKeyGroup } from '../src/api/keys.ts';
import { type TypeOf, types } from '../src/api/types.ts';

const trade = types.record({
  id: types.int64,
  time: types.timestamp,
  symbol: types.string,
  exchange: types.string,
  price: types.double,
  size: types.int32,
  side: types.boolean,
  buyer: types.string,
  seller: types.string,
  fee: types.optional(types.double),
  note: types.string,
});
type Trade = TypeOf<typeof trade>;

const rowCount = Number(process.argv[2] ?? 1000) * 1000;
const rows: Trade[] = Array.from({ length: 4096 }, (_, i) => ({
  id: BigInt(i) * 1_000_003n,
  time: 1_700_000_000_000 + i * 17,
  symbol: `SYM${(i * 7919) % 500}`,
  exchange: ['XNYS', 'XNAS', 'XETR'][i % 3]!,
  price: ((i * 31) % 100_000) / 97,
  size: (i * 13) % 10_000,
  side: i % 2 === 0,
  buyer: `buyer-${String(i * 104_729).padStart(12, '0')}`,
  seller: `seller-${String(i * 1_299_709).padStart(12, '0')}`,
  ...(i % 4 === 0 ? {} : { fee: i / 1000 }),
  note: `order ${i} of today, routed by the smart order router of the bank`,
}));

/** As a channel does it: buffers of 32 KiB that are used again. */
const bufferSize = 32 * 1024;

interface Measured {
  readonly write: number;
  readonly read: number;
  readonly both: number;
  readonly bytes: number;
}

function measure(make: () => Codec<Trade>): Measured {
  const writer = new ByteWriter(new Uint8Array(bufferSize + 1024));
  const reader = new ByteReader(writer.bytes);
  const output = make();
  const input = make();
  const buffers = new Map<number, { bytes: Uint8Array; rows: number }>();
  let bytes = 0;
  const fill = (from: number): number => {
    writer.position = 0;
    let at = from;
    while (at < rowCount && writer.position < bufferSize - 512)
      output.write(writer, rows[at++ & 4095]!);
    return at;
  };
  const drain = (source: Uint8Array, count: number): void => {
    reader.use(source);
    for (let i = 0; i < count; i++) input.read(reader);
  };
  // The first buffers also carry the structures of msgpack: they are read once, in order.
  for (let at = 0; at < 20_000;) {
    const next = fill(at);
    drain(writer.written(), next - at);
    at = next;
  }
  const write = time(() => {
    for (let at = 0; at < rowCount;) {
      at = fill(at);
      bytes += writer.position;
    }
  });
  for (let at = 0, n = 0; n < 16; n++) {
    const next = fill(at);
    buffers.set(n, { bytes: writer.written().slice(), rows: next - at });
    at = next;
  }
  let read = 0;
  const readTime = time(() => {
    for (let n = 0; read < rowCount; n = (n + 1) & 15) {
      const buffer = buffers.get(n)!;
      drain(buffer.bytes, buffer.rows);
      read += buffer.rows;
    }
  });
  const both = time(() => {
    for (let at = 0; at < rowCount;) {
      const next = fill(at);
      drain(writer.written(), next - at);
      at = next;
    }
  });
  return {
    write: rowCount / write,
    read: read / readTime,
    both: rowCount / both,
    bytes: bytes / rowCount,
  };
}

/** Seconds. */
function time(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function best(run: () => Measured): Measured {
  const runs = [run(), run(), run()];
  const max = (pick: (m: Measured) => number) => Math.max(...runs.map(pick));
  return {
    write: max((m) => m.write),
    read: max((m) => m.read),
    both: max((m) => m.both),
    bytes: runs[0]!.bytes,
  };
}

const millions = (rate: number) => `${(rate / 1e6).toFixed(2)} M/s`;
const compiled = best(() => measure(() => compileCodec<Trade>(trade)));
const untyped = best(() => measure(() => compileCodec<Trade>(null)));
process.stdout.write(
  `bytes a row: compiled ${compiled.bytes.toFixed(0)}, msgpack ${untyped.bytes.toFixed(0)}\n`,
);
for (const what of ['write', 'read', 'both'] as const) {
  const ratio = (compiled[what] / untyped[what]).toFixed(1);
  process.stdout.write(
    `${what.padEnd(5)} compiled ${millions(compiled[what])}, msgpack ${millions(untyped[what])}, ratio ${ratio}\n`,
  );
}

function keyRate(type: Parameters<typeof compileKeyGroup>[0], keys: readonly unknown[]): number {
  const group = compileKeyGroup(type, 128);
  let sum = 0;
  const run = () => {
    for (let i = 0; i < rowCount; i++) sum += group(keys[i & 1023]);
  };
  run();
  const seconds = Math.min(time(run), time(run));
  if (sum < 0) throw new Error('a key group is never negative');
  return rowCount / seconds;
}

const numbers = Array.from({ length: 1024 }, (_, i) => i * 31);
const texts = numbers.map((n) => `SYM${n}`);
process.stdout.write(
  `key groups: string ${millions(keyRate(types.string, texts))}, ` +
    `int32 ${millions(keyRate(types.int32, numbers))}, double ${millions(keyRate(types.double, numbers))}, ` +
    `any primitive ${millions(keyRate({ kind: 'primitive' }, texts))}, ` +
    `record ${millions(
      keyRate(
        types.record({ a: types.string, b: types.int32 }),
        texts.map((a, b) => ({ a, b })),
      ),
    )}\n`,
);
