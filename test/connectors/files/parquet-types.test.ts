/** Columns as DuckDB and others write them, read as declared types. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TypeDescriptor, types } from '../../../src/api/types.ts';
import { FileSource } from '../../../src/connectors/files/index.ts';
import { readAll } from '../read.ts';

let folder: string;
let duck: DuckDBConnection;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-parquet-types-'));
  duck = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(async () => {
  duck.closeSync();
  await rm(folder, { recursive: true, force: true });
});

/** A file with the rows of a query. */
async function write(query: string, options = ''): Promise<string> {
  const path = join(folder, `${count++}.parquet`);
  await duck.run(`copy (${query}) to '${path}' (format parquet${options})`);
  return path;
}

/** The values of the column `v`. */
async function values(path: string, type: TypeDescriptor<unknown>): Promise<unknown[]> {
  const source = FileSource.parquet<{ v: unknown }>(
    path,
    types.record({ v: type }) as TypeDescriptor<{ v: unknown }>,
  );
  return (await readAll(source)).records.map(({ v }) => v);
}

/** A query of rows with one column; each is repeated, so that the column has a dictionary. */
const rows = (cast: string, ...all: string[]) =>
  `select cast(v as ${cast}) as v from (values ${all.map((v) => `(${v})`).join(',')}) t(v)`;

const big = '12345678901234567890123456789012345678';

describe('decimals', () => {
  test.each([
    ['DECIMAL(4,2)', ['0.57', '-0.29', '12.30'], [57n, -29n, 1230n], [0.57, -0.29, 12.3]],
    ['DECIMAL(9,3)', ['1.150', '-999999.999'], [1150n, -999_999_999n], [1.15, -999_999.999]],
    [
      'DECIMAL(18,2)',
      ['1234567.89', '-0.01', '0.00'],
      [123_456_789n, -1n, 0n],
      [1_234_567.89, -0.01, 0],
    ],
    ['DECIMAL(18,0)', ['999999999999999999', '-1'], [999_999_999_999_999_999n, -1n], null],
    ['DECIMAL(38,4)', ['19.9900', '-19.9900'], [199_900n, -199_900n], [19.99, -19.99]],
    [
      'DECIMAL(20,0)',
      ['9007199254740993', '-9007199254740993'],
      [9007199254740993n, -9007199254740993n],
      null,
    ],
  ] as const)(
    '%s is exact, as text, as an integer without the point, as the double of the same digits',
    async (cast, texts, integers, doubles) => {
      const path = await write(rows(cast, ...texts.map((t) => `'${t}'`)));
      expect(await values(path, types.string)).toEqual(texts);
      expect(await values(path, types.int64)).toEqual(integers);
      if (doubles === null)
        await expect(values(path, types.double)).rejects.toThrow(
          `expected double, got ${texts[0]}`,
        );
      else expect(await values(path, types.double)).toEqual(doubles);
    },
  );

  test('what does not fit is named to the last digit', async () => {
    const path = await write(rows('DECIMAL(38,0)', `'${big}'`));
    expect(await values(path, types.string)).toEqual([big]);
    for (const type of [types.int32, types.long, types.int64, types.double]) {
      await expect(values(path, type)).rejects.toThrow(
        `${path}, row 0, column 'v': expected ${type.kind}, got ${big}`,
      );
    }
    const digits = `${big.slice(0, 20)}.${big.slice(20)}`;
    const fraction = await write(rows('DECIMAL(38,18)', `'${digits}'`));
    expect(await values(fraction, types.string)).toEqual([digits]);
    await expect(values(fraction, types.double)).rejects.toThrow(`expected double, got ${digits}`);
  });
});

/** A column of stored bytes, for what DuckDB does not write. */
async function writeStored(
  element: SchemaElement,
  data: readonly (Uint8Array | bigint)[],
): Promise<Buffer> {
  const schema = [{ name: 'root', num_children: 1 }, element];
  const column = { name: 'v', data: [...data], encoding: 'PLAIN' as const };
  return Buffer.from(parquetWriteBuffer({ columnData: [column], schema, statistics: false }));
}

test('an INT64 is a long where a number holds it exactly', async () => {
  const safe = ['9007199254740991', '-9007199254740991', '0'];
  const path = await write(rows('BIGINT', ...safe));
  expect(await values(path, types.long)).toEqual(safe.map(Number));
  const beyond = await write(rows('BIGINT', '1', '9007199254740993'));
  await expect(values(beyond, types.long)).rejects.toThrow(
    `row 1, column 'v': expected long, got 9007199254740993`,
  );
});

describe('stored by others', () => {
  test('decimals as bytes of any length', async () => {
    const unscaled = [0n, 127n, -128n, 128n, -129n, 1n, BigInt(big), -BigInt(big)];
    const file = await writeStored(
      {
        name: 'v',
        type: 'BYTE_ARRAY',
        converted_type: 'DECIMAL',
        precision: 38,
        scale: 2,
        repetition_type: 'REQUIRED',
      },
      unscaled,
    );
    const path = join(folder, `${count++}.parquet`);
    await writeFile(path, file);
    const large = `${big.slice(0, -2)}.${big.slice(-2)}`;
    const texts = ['0.00', '1.27', '-1.28', '1.28', '-1.29', '0.01', large, `-${large}`];
    expect(await values(path, types.string)).toEqual(texts);
    await expect(values(path, types.int64)).rejects.toThrow(
      `row 6, column 'v': expected int64, got ${large}`,
    );
  });

  test('INT96, as Spark and Impala write times', async () => {
    const at = (julianDay: number, nanos: bigint) => {
      const bytes = new Uint8Array(12);
      const view = new DataView(bytes.buffer);
      view.setBigInt64(0, nanos, true);
      view.setInt32(8, julianDay, true);
      return bytes;
    };
    const stored = [
      at(2_460_310, 86_399_999_999_999n),
      at(2_440_588, 0n),
      at(2_440_587, 86_399_999_999_999n),
    ];
    const element = {
      name: 'v',
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 12,
      repetition_type: 'REQUIRED',
    } as const;
    const file = await writeStored(element, stored);
    // The same bytes by another type: 7 is FIXED_LEN_BYTE_ARRAY and 3 INT96, twice as large in a varint of thrift.
    const footer = file.length - 8 - file.readUInt32LE(file.length - 8);
    for (let i = footer; i < file.length - 8; i++) {
      if (file[i] === 0x15 && file[i + 1] === 14) file[i + 1] = 6;
    }
    const path = join(folder, `${count++}.parquet`);
    await writeFile(path, file);
    expect(await values(path, types.timestamp)).toEqual([Date.UTC(2024, 0, 1) - 1, 0, -1]);
    expect(await values(path, types.string)).toEqual([
      '2023-12-31T23:59:59.999999999Z',
      '1970-01-01T00:00:00.000000000Z',
      '1969-12-31T23:59:59.999999999Z',
    ]);
    expect(await values(path, types.int64)).toEqual([1_704_067_199_999_999_999n, 0n, -1n]);
    expect(await values(path, types.bytes)).toEqual(stored);
  });
});

describe('integers', () => {
  test.each([
    ['BIGINT', '9223372036854775807', 9_223_372_036_854_775_807n],
    ['BIGINT', '-9223372036854775808', -9_223_372_036_854_775_808n],
    ['UBIGINT', '9007199254740993', 9_007_199_254_740_993n],
    ['UINTEGER', '4294967295', 4_294_967_295n],
    ['USMALLINT', '65535', 65_535n],
    ['UTINYINT', '255', 255n],
    ['TINYINT', '-128', -128n],
  ])('%s %s keeps its digits', async (cast, text, wanted) => {
    const path = await write(`${rows(cast, text)} union all ${rows(cast, text)}`);
    expect(await values(path, types.int64)).toEqual([wanted, wanted]);
    expect(await values(path, types.string)).toEqual([text, text]);
  });

  test.each([
    ['UBIGINT', '18446744073709551615', types.int64],
    ['BIGINT', '9007199254740993', types.double],
    ['BIGINT', '2147483648', types.int32],
    ['UINTEGER', '4294967295', types.int32],
    ['DOUBLE', '1.5', types.int32],
    ['DOUBLE', '1.5', types.int64],
  ])('%s %s does not fit and is named', async (cast, text, type) => {
    const path = await write(rows(cast, text));
    await expect(values(path, type as TypeDescriptor<unknown>)).rejects.toThrow(
      `expected ${type.kind}, got ${text}`,
    );
  });
});

describe('times', () => {
  const last = '2023-12-31 23:59:59.999999';
  const day = 86_400_000;

  test.each([
    ['TIMESTAMP_MS', last.slice(0, -3), '.999', 1_704_067_199_999n],
    ['TIMESTAMP', last, '.999999', 1_704_067_199_999_999n],
    ['TIMESTAMP WITH TIME ZONE', `${last}+00`, '.999999', 1_704_067_199_999_999n],
    ['TIMESTAMP_NS', `${last}999`, '.999999999', 1_704_067_199_999_999_999n],
  ])(
    'the last %s of a day stays in it; its digits are in the text and the integer',
    async (cast, text, fraction, units) => {
      const path = await write(rows(cast, `'${text}'`));
      expect(await values(path, types.timestamp)).toEqual([Date.UTC(2024, 0, 1) - 1]);
      expect(await values(path, types.string)).toEqual([`2023-12-31T23:59:59${fraction}Z`]);
      expect(await values(path, types.int64)).toEqual([units]);
    },
  );

  test.each(['TIMESTAMP', 'TIMESTAMP_NS'])('%s before 1970 stays in its day', async (cast) => {
    const path = await write(rows(cast, `'1969-12-31 23:59:59.999999'`, `'1969-12-31 00:00:00'`));
    expect(await values(path, types.timestamp)).toEqual([-1, -day]);
    expect(await values(path, types.string)).toEqual([
      expect.stringMatching(/^1969-12-31T23:59:59\.999999(?:000)?Z$/),
      expect.stringMatching(/^1969-12-31T00:00:00\.0+Z$/),
    ]);
  });

  test('a date is the beginning of its day', async () => {
    const path = await write(rows('DATE', `'2024-02-29'`, `'1969-12-31'`));
    expect(await values(path, types.timestamp)).toEqual([Date.UTC(2024, 1, 29), -day]);
    expect(await values(path, types.string)).toEqual(['2024-02-29', '1969-12-31']);
    expect(await values(path, types.int32)).toEqual([19_782, -1]);
  });

  test('a time of day is text or its units, and no timestamp', async () => {
    const path = await write(rows('TIME', `'23:59:59.000001'`));
    expect(await values(path, types.string)).toEqual(['23:59:59.000001']);
    expect(await values(path, types.int64)).toEqual([86_399_000_001n]);
    await expect(values(path, types.timestamp)).rejects.toThrow(
      `${path} column 'v' holds times of day, which cannot be read as timestamp`,
    );
  });
});

describe('bytes and texts', () => {
  test('bytes are bytes, whatever they look like', async () => {
    const path = await write(
      `${rows('BLOB', `'\\x00\\xFF\\x80'`, `'AQID'`, `''`)} union all ${rows('BLOB', `'AQID'`)}`,
    );
    const wanted = [
      new Uint8Array([0, 255, 128]),
      new TextEncoder().encode('AQID'),
      new Uint8Array(),
    ];
    const found = await values(path, types.bytes);
    expect(found).toEqual([...wanted, wanted[1]]);
    expect(found[1]).not.toBe(found[3]); // who changes one does not change the other
  });

  test('texts are texts, and their UTF-8 as bytes', async () => {
    const path = await write(rows('VARCHAR', `'ü'`, `''`, `'{"a":1}'`));
    expect(await values(path, types.string)).toEqual(['ü', '', '{"a":1}']);
    expect((await values(path, types.bytes))[0]).toEqual(new Uint8Array([0xc3, 0xbc]));
  });

  test('UUIDs are texts or 16 bytes', async () => {
    const text = '00112233-4455-6677-8899-aabbccddeeff';
    const path = await write(rows('UUID', `'${text}'`));
    expect(await values(path, types.string)).toEqual([text]);
    expect(await values(path, types.bytes)).toEqual([
      new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex')),
    ]);
  });

  test('JSON is text, or what it says', async () => {
    const path = await write(rows('JSON', `'{"id":9007199254740993}'`));
    expect(await values(path, types.string)).toEqual(['{"id":9007199254740993}']);
    expect(await values(path, types.record({ id: types.int64 }))).toEqual([
      { id: 9007199254740993n },
    ]);
  });

  test.each([
    ['INTEGER', '1', types.bytes, 'integers', 'bytes'],
    ['BOOLEAN', 'true', types.int32, 'truth values', 'int32'],
    ['BLOB', `'a'`, types.record({ a: types.string }), 'bytes', '{ a: string }'],
  ])('%s cannot be read as another kind of value', async (cast, value, type, holds, wanted) => {
    const path = await write(rows(cast, value));
    await expect(values(path, type as TypeDescriptor<unknown>)).rejects.toThrow(
      `${path} column 'v' holds ${holds}, which cannot be read as ${wanted}`,
    );
  });
});

describe('nested rows', () => {
  const inner = types.record({
    city: types.optional(types.string),
    zip: types.optional(types.int64),
    price: types.optional(types.string),
  });

  test('records with nulls, and null records', async () => {
    const path = await write(
      `select * from (values
        ({'city': 'Bonn', 'zip': 9007199254740993::BIGINT, 'price': 1.50::DECIMAL(20,2), 'more': 1}),
        ({'city': null, 'zip': null, 'price': null, 'more': null}),
        (null)) t(v)`,
    );
    expect(await values(path, types.optional(inner))).toEqual([
      { city: 'Bonn', zip: 9007199254740993n, price: '1.50' },
      {},
      undefined,
    ]);
    await expect(values(path, inner)).rejects.toThrow(`${path}, row 2, column 'v': expected `);
    const city = types.record({ city: types.string });
    await expect(values(path, city)).rejects.toThrow(
      `${path}, row 1, column 'v': field 'city': expected string, got null`,
    );
    await expect(values(path, types.record({ town: types.string }))).rejects.toThrow(
      `${path} column 'v' has no column town; it has city, zip, price, more`,
    );
  });

  test('lists with nulls, empty and null lists', async () => {
    const path = await write(
      `select * from (values ([1.5::DECIMAL(4,1), null]), ([]), (null), ([2.0::DECIMAL(4,1)])) t(v)`,
    );
    const list = types.list(types.optional(types.string));
    expect(await values(path, types.optional(list))).toEqual([
      ['1.5', undefined],
      [],
      undefined,
      ['2.0'],
    ]);
    await expect(values(path, types.optional(types.list(types.string)))).rejects.toThrow(
      `row 0, column 'v': expected string, got null`,
    );
  });

  test('lists of lists and lists of records', async () => {
    const path = await write(`select [[1, 2], [], null, [3]] as v union all select null`);
    const type = types.optional(types.list(types.optional(types.list(types.int32))));
    expect(await values(path, type)).toEqual([[[1, 2], [], undefined, [3]], undefined]);
    const records = await write(
      `select [{'at': timestamp '2024-01-01 00:00:00.000001', 'tags': ['a']}, null] as v`,
    );
    const record = types.record({ at: types.timestamp, tags: types.list(types.string) });
    expect(await values(records, types.list(types.optional(record)))).toEqual([
      [{ at: Date.UTC(2024, 0, 1), tags: ['a'] }, undefined],
    ]);
  });

  test('maps, in the order of the file, with keys of any type', async () => {
    const path = await write(
      `select * from (values
        (map {'b': 1::BIGINT, '10': 2, '2': null, '__proto__': 3}), (map {}), (null)) t(v)`,
    );
    const type = types.optional(types.map(types.optional(types.int64)));
    const [first, second, third] = (await values(path, type)) as (
      | Map<string, bigint>
      | undefined
    )[];
    expect([...first!]).toEqual([
      ['b', 1n],
      ['10', 2n],
      ['2', undefined],
      ['__proto__', 3n],
    ]);
    expect([second, third]).toEqual([new Map(), undefined]);
    const numbered = await write(`select map {1: {'x': 0.1::DECIMAL(3,1)}} as v`);
    expect(await values(numbered, types.map(types.record({ x: types.string })))).toEqual([
      new Map([['1', { x: '0.1' }]]),
    ]);
  });

  test('a column that older files lack is nothing where it is optional', async () => {
    const path = await write('select 1 as a');
    const type = types.record({ a: types.int32, b: types.optional(types.string) });
    expect((await readAll(FileSource.parquet(path, type))).records).toEqual([
      { a: 1, b: undefined },
    ]);
  });

  test('a union takes the alternative that the column is most like', async () => {
    const either = types.union(types.double, types.string, types.timestamp);
    expect(await values(await write(rows('VARCHAR', `'5'`)), either)).toEqual(['5']);
    expect(await values(await write(rows('DOUBLE', '5')), either)).toEqual([5]);
    expect(await values(await write(rows('DECIMAL(4,2)', '5')), either)).toEqual(['5.00']);
  });
});

test('any split of the rows gives the same values', async () => {
  const query = `select (i::HUGEINT * 9007199254740993 % 9223372036854775807)::BIGINT as v,
    [i, null] as l, {'d': (i / 100)::DECIMAL(9,2)} as r from range(5000) t(i)`;
  const type = types.record({
    v: types.int64,
    l: types.list(types.optional(types.int64)),
    r: types.record({ d: types.string }),
  });
  const one = await readAll(FileSource.parquet(await write(query), type));
  const many = await readAll(
    FileSource.parquet(await write(query, ', row_group_size 2048, codec zstd'), type),
  );
  expect(one.records).toHaveLength(5000);
  expect(many.records).toEqual(one.records);
  expect(one.records[4999]).toEqual({
    v: (4999n * 9007199254740993n) % 9223372036854775807n,
    l: [4999n, undefined],
    r: { d: '49.99' },
  });
});
