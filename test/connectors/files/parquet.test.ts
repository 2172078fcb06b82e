import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { types } from '../../../src/api/types.ts';
import { FileSource } from '../../../src/connectors/files/index.ts';
import { divided, openReader, poll, readAll, readInTwo, splitsOf } from '../read.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-parquet-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(columnData: ColumnSource[], options: object = {}): Promise<string> {
  const path = join(folder, `in-${count++}.parquet`);
  await writeFile(path, new Uint8Array(parquetWriteBuffer({ columnData, ...options })));
  return path;
}

const rows = Array.from({ length: 25 }, (_, i) => ({ city: `c${i % 7}`, delay: i - 5 }));
const columns: ColumnSource[] = [
  { name: 'delay', data: rows.map((r) => r.delay), type: 'INT32' },
  { name: 'unread', data: rows.map((_, i) => i / 2), type: 'DOUBLE' },
  { name: 'city', data: rows.map((r) => r.city), type: 'STRING' },
];
const flight = types.record({ city: types.string, delay: types.int32 });
const inGroups = () => file(columns, { rowGroupSize: 10 });

describe('Parquet', () => {
  test('a split a row group of large files, ascending; the columns of the type are read', async () => {
    const path = await inGroups();
    const source = FileSource.parquet(path, flight);
    const small = divided(source, 100);
    expect(await splitsOf(small)).toEqual([
      { id: `${path}#0`, file: path, from: 0, to: 10 },
      { id: `${path}#1`, file: path, from: 10, to: 20 },
      { id: `${path}#2`, file: path, from: 20, to: 25 },
    ]);
    expect(await splitsOf(source)).toEqual([{ id: path, file: path }]);
    for (const batch of [1, 3, 100]) {
      expect((await readAll(small, batch)).records).toEqual(rows);
      expect((await readAll(source, batch)).records).toEqual(rows);
    }
  });

  test('row groups of several pages', async () => {
    const path = await file(columns, { rowGroupSize: 10, pageSize: 16 });
    expect((await readAll(FileSource.parquet(path, flight))).records).toEqual(rows);
  });

  test.each([
    ['GZIP', (data: Uint8Array) => gzipSync(data)],
    ['ZSTD', (data: Uint8Array) => zstdCompressSync(data)],
    ['SNAPPY', undefined],
    ['UNCOMPRESSED', undefined],
  ])('compressed by %s', async (codec, compress) => {
    const compressors = compress ? { [codec]: compress } : {};
    // Long and repeated: what does not become smaller is stored as it is.
    const text = rows.map((r) => r.city.repeat(500));
    const path = await file([{ name: 'city', data: text, type: 'STRING' }], {
      codec,
      ...(compress && { compressors }),
    });
    const source = FileSource.parquet(path, types.record({ city: types.string }));
    expect((await readAll(source)).records.map((r) => r.city)).toEqual(text);
  });

  test('types of columns', async () => {
    const at = new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678));
    const path = await file([
      { name: 'i', data: [2n ** 53n + 1n], type: 'INT64' },
      { name: 'd', data: [0.5], type: 'DOUBLE' },
      { name: 'b', data: [true], type: 'BOOLEAN' },
      { name: 't', data: [at], type: 'TIMESTAMP' },
      { name: 'n', data: [7n], type: 'INT64' },
      { name: 'o', data: [null], type: 'STRING' },
    ]);
    const type = types.record({
      i: types.int64,
      d: types.double,
      b: types.boolean,
      t: types.timestamp,
      n: types.int32,
      o: types.optional(types.string),
    });
    expect((await readAll(FileSource.parquet(path, type))).records).toEqual([
      { i: 2n ** 53n + 1n, d: 0.5, b: true, t: at.getTime(), n: 7, o: undefined },
    ]);
  });

  test('several files, one without rows', async () => {
    const inner = await mkdtemp(join(folder, 'many-'));
    const write = async (name: string, data: number[]) =>
      writeFile(
        join(inner, name),
        new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'n', data, type: 'INT32' }] })),
      );
    await write('a.parquet', [1, 2]);
    await write('b.parquet', []);
    await write('c.parquet', [3]);
    const source = FileSource.parquet(inner, types.record({ n: types.int32 }));
    expect((await readAll(source)).records.map((r) => r.n)).toEqual([1, 2, 3]);
  });

  test('a column that is missing is named, with those that are there', async () => {
    const path = await inGroups();
    for (const onError of ['fail', 'skip'] as const) {
      const type = types.record({ city: types.string, late: types.int32 });
      await expect(readAll(FileSource.parquet(path, type, { onError }))).rejects.toThrow(
        `${path} has no column late; it has delay, unread, city`,
      );
    }
  });

  test.each([
    ['a wrong type', 'DOUBLE' as const, 1.5, 'expected int32, got 1.5'],
    ['null in a column that is not optional', 'INT32' as const, null, 'expected int32, got null'],
  ])('%s fails with file, row and column, or is skipped', async (_what, type, bad, message) => {
    const data = rows.map((r, i) => (i === 12 ? bad : r.delay));
    const path = await file([columns[2]!, { name: 'delay', data, type }], { rowGroupSize: 10 });
    await expect(readAll(FileSource.parquet(path, flight))).rejects.toThrow(
      `${path}, row 12, column 'delay': ${message}`,
    );
    const reading = await readAll(FileSource.parquet(path, flight, { onError: 'skip' }));
    expect(reading.records).toEqual(rows.toSpliced(12, 1));
    expect(reading.skipped()).toBe(1);
  });

  test.each([
    ['empty', () => new Uint8Array()],
    ['of another format', () => new TextEncoder().encode('city,delay\nRome,5\n')],
    ['cut off', (whole: Uint8Array) => whole.subarray(0, whole.length - 20)],
    ['without its end mark', (whole: Uint8Array) => whole.subarray(0, whole.length - 4)],
  ])('a file that is %s is named', async (_what, damage) => {
    const path = await inGroups();
    await writeFile(path, damage(await readFile(path)));
    const source = FileSource.parquet(path, flight);
    for (const each of [source, divided(source, 0)]) {
      await expect(readAll(each)).rejects.toThrow(`${path} is not a readable Parquet file: `);
    }
  });

  test('pages that are damaged fail with the file and the rows', async () => {
    const path = await inGroups();
    const bytes = await readFile(path);
    bytes.fill(0xff, 4, 60); // the first column of the first row group
    await writeFile(path, bytes);
    await expect(readAll(FileSource.parquet(path, flight))).rejects.toThrow(
      `${path}, rows 0 to 9: `,
    );
  });

  test('a file that is gone when it is read is named', async () => {
    const path = await inGroups();
    const source = FileSource.parquet(path, flight);
    const reading = openReader(source);
    for (const split of await splitsOf(source)) reading.reader.addSplit(split);
    await rm(path);
    await expect(poll(reading)).rejects.toThrow(path);
    await reading.reader.close();
  });

  test('a reader that goes on from a snapshot gives exactly the rest', async () => {
    const data = rows.map((r, i) => (i % 6 === 4 ? null : r.delay));
    const path = await file([columns[2]!, { name: 'delay', data, type: 'INT32' }], {
      rowGroupSize: 10,
    });
    const source = FileSource.parquet(path, flight, { onError: 'skip' });
    const all = (await readAll(source)).records;
    expect(all).toHaveLength(21);
    const cuts = fc.record({
      first: fc.integer({ min: 0, max: 23 }),
      batch: fc.integer({ min: 1, max: 25 }),
      large: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cuts, async ({ first, batch, large }) => {
        const [before, after] = await readInTwo(
          large ? divided(source, 100) : source,
          first,
          batch,
        );
        expect(before).toEqual(all.slice(0, first));
        expect(after).toEqual(all.slice(first));
      }),
      { numRuns: 60 },
    );
  });

  test('needs a record type', () => {
    expect(() => FileSource.parquet('x', types.string)).toThrow('needs a record type, not string');
  });
});
