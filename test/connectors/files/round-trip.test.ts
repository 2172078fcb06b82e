/** What FileSink writes FileSource reads back: every type, in every format. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sink } from '../../../src/api/sink.ts';
import type { Source } from '../../../src/api/source.ts';
import { type TypeDescriptor, type TypeOf, type TypeShape, types } from '../../../src/api/types.ts';
import { type CsvWriteOptions, FileSink, FileSource } from '../../../src/connectors/files/index.ts';
import { createCommitter } from '../../../src/connectors/registry.ts';
import { anyType, valueOf } from '../../api/arbitrary-type.ts';
import { readAll } from '../read.ts';

type Row = Record<string, unknown>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-round-trip-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;

async function write<T>(sinkOf: (path: string) => Sink<T>, values: readonly T[]): Promise<string> {
  const path = join(folder, String(count++));
  const sink = sinkOf(path);
  const context = { workingDirectory: folder, jobId: 'job', epoch: 1 };
  const committer = await createCommitter(sink.committer!, context);
  await committer.prepare();
  const writer = sink.createWriter({
    subtaskIndex: 0,
    parallelism: 1,
    attempt: 0,
    stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
    ...context,
  });
  await writer.open();
  try {
    for (const value of values) {
      writer.write(value, 0);
      await writer.ready();
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await committer.commit(await writer.finish());
  return path;
}

async function content(path: string): Promise<string> {
  const [part] = await readdir(path);
  return readFile(join(path, part!), 'utf8');
}

/** A text of a union says not of which alternative it is, and keys without a type are none of a file. */
const isPlain = (type: TypeShape): boolean => {
  switch (type.kind) {
    case 'union':
    case 'primitive':
      return false;
    case 'list':
      return isPlain(type.element);
    case 'map':
      return isPlain(type.value);
    case 'optional':
      return isPlain(type.type);
    case 'record':
      return Object.values(type.fields).every(isPlain);
    default:
      return true;
  }
};

/** Field names as they are in a header: blanks around them are left out by readers. */
const rows = anyType
  .filter(isPlain)
  .chain((type) =>
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c,"', 'ü', ' d'), fc.constant(type))),
  )
  .chain((some) =>
    fc
      .array(anyType.filter(isPlain), { minLength: 1, maxLength: 3 })
      .map((more) =>
        Object.fromEntries([
          ...more.map((type, i) => [`f${i}`, type] as const),
          ...some.slice(0, 2),
        ]),
      ),
  )
  .chain((fields) => {
    const type: TypeShape = { kind: 'record', fields };
    return fc.array(valueOf(type), { minLength: 1, maxLength: 5 }).map((values) => ({
      type: type as TypeDescriptor<Row>,
      values: changed(values as Row[], wellFormed),
    }));
  });

const dialect = fc.record({
  separator: fc.constantFrom(',', ';', '\t', '|', '||', ' '),
  header: fc.boolean(),
  quote: fc.constantFrom('"', "'", undefined),
});

describe('what is written is read back', () => {
  test('as JSON Lines', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async ({ type, values }) => {
        const path = await write((to) => FileSink.jsonl<Row>(to, { type }), values);
        expect((await readAll(FileSource.jsonl(path, type))).records).toEqual(values);
      }),
      { numRuns: 150 },
    );
  });

  test('as JSON Lines without a type, by its type', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async ({ type, values }) => {
        const path = await write((to) => FileSink.jsonl<Row>(to), values);
        const { records } = await readAll(FileSource.jsonl(path, type));
        expect(records).toEqual(changed(values, withoutSign));
      }),
      { numRuns: 100 },
    );
  });

  test('as CSV, in any form', async () => {
    await fc.assert(
      fc.asyncProperty(rows, dialect, async ({ type, values }, { header, quote, separator }) => {
        const options = { separator, header, ...(quote !== undefined && { quote }) };
        const path = await write((to) => FileSink.csv<Row>(to, { type, ...options }), values);
        expect((await readAll(FileSource.csv(path, type, options))).records).toEqual(values);
      }),
      { numRuns: 250 },
    );
  });

  test('as CSV of one column that may hold nothing', async () => {
    for (const inner of [types.string, types.bytes, types.int64, types.timestamp]) {
      const type = types.record({ v: types.optional(inner as TypeDescriptor<unknown>) });
      const value = fc.array(valueOf(type), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(value, fc.boolean(), async (found, header) => {
          const values = changed(found as Row[], wellFormed);
          const path = await write((to) => FileSink.csv<Row>(to, { type, header }), values);
          const { records } = await readAll<Row>(FileSource.csv<Row>(path, type, { header }));
          expect(records).toEqual(values);
        }),
        { numRuns: 60 },
      );
    }
  });

  /** Readers take such a beginning of a file for its byte order mark, or for UTF-16. */
  const beginnings = fc.constantFrom('', '\ufeff', '\ufeff\ufeff', 'a\0b\0', '\0a\0b', '\0', 'ü\0');
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', ' ', '\0', '\ufeff', '\t', '"') });
  const texts = fc
    .tuple(beginnings, fc.array(text, { minLength: 1, maxLength: 4 }))
    .map(([beginning, [first, ...others]]) => [beginning + first, ...others]);

  test('as lines of text', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const path = await write((to) => FileSink.text<string>(to), values);
        expect((await readAll(FileSource.text(path))).records).toEqual(values);
      }),
      { numRuns: 150 },
    );
  });

  test('as CSV without a header, whatever it begins with', async () => {
    const type = types.record({ a: types.string, b: types.int32 });
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const values = given.map((a, b) => ({ a, b }));
        const options = { header: false };
        const path = await write((to) => FileSink.csv<Row>(to, { type, ...options }), values);
        expect((await readAll(FileSource.csv(path, type, options))).records).toEqual(values);
      }),
      { numRuns: 150 },
    );
  });

  test('without quotes, or it is refused', async () => {
    const type = types.record({ a: types.string, b: types.int32 });
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', ' ', '\n', '\r'), maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(text, async (a) => {
        const sink = (to: string) => FileSink.csv<Row>(to, { type, quote: null });
        const writing = write(sink, [{ a, b: 1 }]);
        if (/[,\r\n]/.test(a)) {
          await expect(writing).rejects.toThrow(
            /^column 'a': ".*" has a separator or a line break/,
          );
          return;
        }
        const source = FileSource.csv(await writing, type, { quote: null });
        expect((await readAll(source)).records).toEqual([{ a, b: 1 }]);
      }),
      { numRuns: 100 },
    );
  });
});

/** A value whose simple parts are changed. */
function changed<T>(value: T, change: (part: unknown) => unknown): T {
  const deep = (inner: unknown) => changed(inner, change);
  if (Array.isArray(value)) return value.map(deep) as T;
  if (value instanceof Map) {
    return new Map(
      [...(value as Map<unknown, unknown>)].map(([k, v]) => [change(k), deep(v)]),
    ) as T;
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array)
    return change(value) as T;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, deep(v)])) as T;
}

/** `JSON.stringify` has no −0. */
const withoutSign = (part: unknown) => (Object.is(part, -0) ? 0 : part);
/** UTF-8 has no half of a character. */
const wellFormed = (part: unknown) => (typeof part === 'string' ? part.toWellFormed() : part);

describe('a value that is not of the declared type is refused', () => {
  const wrong = [
    [types.int32, 2.5, 'expected int32, got 2.5'],
    [types.int32, 5n, 'expected int32, got 5'],
    [types.long, 2 ** 53, 'expected long, got 9007199254740992'],
    [types.int64, 5, 'expected int64, got 5'],
    [types.int64, 2n ** 63n, 'expected int64, got 9223372036854775808'],
    [types.double, '5', 'expected double, got "5"'],
    [types.string, undefined, 'expected string, got undefined'],
    [types.string, { a: 1 }, 'expected string, got an object'],
    [types.boolean, 1, 'expected boolean, got 1'],
    [types.timestamp, new Date(0), 'expected timestamp, got a Date'],
    [types.bytes, 'AQ==', 'expected bytes, got "AQ=="'],
    [types.optional(types.string), null, 'expected string, got null'],
    [types.list(types.int32), [1, 'x'], 'expected int32, got "x"'],
    [types.union(types.int32, types.string), 1.5, 'expected int32 or string, got 1.5'],
  ] as const;

  test.each(wrong)('%o: %o', async (of, value, message) => {
    const type = types.record({ v: of as TypeDescriptor<unknown> }) as TypeDescriptor<Row>;
    const csv = write((to) => FileSink.csv<Row>(to, { type }), [{ v: value }]);
    await expect(csv).rejects.toThrow(`column 'v': ${message}`);
    const json = write((to) => FileSink.jsonl<Row>(to, { type }), [{ v: value }]);
    await expect(json).rejects.toThrow(`field 'v': ${message}`);
  });

  test('also where the column has a format, and columns that the type lacks', async () => {
    const type = types.record({ n: types.double });
    const formatted = (to: string) => FileSink.csv<Row>(to, { type, format: { n: 2 } });
    await expect(write(formatted, [{ n: '1' }])).rejects.toThrow(`column 'n': expected double`);
    expect(() => FileSink.csv<Row>('x', { type, columns: ['m'] })).toThrow(
      "FileSink.csv: { n: double } has no field 'm'",
    );
    expect(() => FileSink.csv<Row>('x', { columns: ['n', 'n'] })).toThrow("'n' is there twice");
  });
});

describe('other tools', () => {
  const type = types.record({
    id: types.int64,
    x: types.double,
    name: types.optional(types.string),
    t: types.timestamp,
    ok: types.boolean,
  });
  const values: readonly TypeOf<typeof type>[] = [
    { id: 9007199254740993n, x: 0.1, name: 'a "b", c\nd', t: 1_704_067_199_999, ok: true },
    { id: -(2n ** 63n), x: -1e-300, name: '', t: -1, ok: false },
    { id: 0n, x: 5, t: 0, ok: false },
  ];

  test('DuckDB reads our CSV', async () => {
    const options: CsvWriteOptions<TypeOf<typeof type>> = { type, format: { t: 'time' } };
    const path = await write((to) => FileSink.csv(to, options), values);
    expect(await content(path)).not.toContain('"""9');
    const duck = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await duck.runAndReadAll(
      `select id, x, name, epoch_ms(t) as t, ok from read_csv('${path}/*.csv', header = true, allow_quoted_nulls = false,
       columns = {id: 'BIGINT', x: 'DOUBLE', name: 'VARCHAR', t: 'TIMESTAMP', ok: 'BOOLEAN'})`,
    );
    expect(reader.getRowObjects()).toEqual(
      values.map(({ name = null, t, ...row }) => ({ ...row, name, t: BigInt(t) })),
    );
    duck.closeSync();
  });

  test.each([
    ['csv', ', format csv, header', (path: string): Source<unknown> => FileSource.csv(path, type)],
    [
      'tsv',
      ", format csv, header, delim '\t'",
      (path: string): Source<unknown> => FileSource.csv(path, type, { separator: '\t' }),
    ],
    ['jsonl', ', format json', (path: string): Source<unknown> => FileSource.jsonl(path, type)],
  ])('we read the %s of DuckDB', async (ending, options, sourceOf) => {
    const path = join(folder, `duck.${ending}`);
    const duck = await (await DuckDBInstance.create(':memory:')).connect();
    await duck.run(
      `copy (select * from (values
        (9007199254740993::BIGINT, 0.1::DOUBLE, 'a "b", c' || chr(10) || 'd', timestamp '2023-12-31 23:59:59.999', true),
        (-9223372036854775808, -1e-300, '', timestamp '1969-12-31 23:59:59.999', false),
        (0, 5, null, timestamp '1970-01-01', false)) v(id, x, name, t, ok)) to '${path}' (${options.slice(2)})`,
    );
    duck.closeSync();
    expect((await readAll(sourceOf(path))).records).toEqual(values);
  });
});
