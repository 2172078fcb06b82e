/** Folders of files as another tool writes them: what is read is what it says is in them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Source } from '../../../src/api/source.ts';
import { type TypeOf, types } from '../../../src/api/types.ts';
import { type CsvReadOptions, FileSource } from '../../../src/connectors/files/index.ts';
import { divided, readAll } from '../read.ts';

let folder: string;
let duck: DuckDBConnection;

const row = types.record({ id: types.int64, name: types.string, x: types.double });
type Row = TypeOf<typeof row>;

/** Texts with everything that CSV has to quote. */
const query = `
  select i as id, i * 0.25 as x, i % 3 as day,
    case i % 5 when 0 then 'plain' when 1 then 'a,b' when 2 then 'line' || chr(10) || 'break'
      when 3 then 'say "it"' else 'ü€😀' end || i as name
  from range(5000) t(i)`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-inputs-'));
  duck = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(async () => {
  duck.closeSync();
  await rm(folder, { recursive: true, force: true });
});

const csv = (path: string, options?: CsvReadOptions) => FileSource.csv(path, row, options);
const jsonl = (path: string) => FileSource.jsonl(path, row);
const parquet = (path: string) => FileSource.parquet(path, row);

const kinds: readonly [string, string, (path: string) => Source<Row>][] = [
  ['CSV', 'format csv', csv],
  ['CSV without a header', 'format csv, header false', (path) => csv(path, { header: false })],
  ['TSV', "format csv, delimiter '\t'", (path) => csv(path, { separator: '\t' })],
  ['CSV with another quote', `format csv, quote ''''`, (path) => csv(path, { quote: "'" })],
  ['CSV, all of it quoted', 'format csv, force_quote *', csv],
  ['JSON Lines', 'format json', jsonl],
  ['Parquet', 'format parquet, row_group_size 2048', parquet],
];

const compressions = [
  ['as it is', '', ''],
  ['gzip', '.gz', ', compression gzip'],
  ['zstd', '.zst', ', compression zstd'],
] as const;

const cases = kinds.flatMap(([name, format, sourceOf]) =>
  compressions.map(([compression, ending, option]) => ({
    what: `${name}, ${compression}`,
    format: format + option,
    // Parquet compresses its pages itself.
    ending: sourceOf === parquet ? '.parquet' : ending,
    sourceOf,
  })),
);

test.each(cases)('$what', async ({ what, format, ending, sourceOf }) => {
  const path = join(folder, `${what}${ending}`);
  const columns = 'id, name, x';
  await duck.run(`copy (select ${columns} from (${query})) to '${path}' (${format})`);
  const reader = await duck.runAndReadAll(`select ${columns} from (${query}) order by id`);
  const wanted = reader.getRowObjectsJS() as unknown as Row[];
  expect(wanted).toHaveLength(5000);
  for (const source of [sourceOf(path), divided(sourceOf(path), 10_000)]) {
    expect((await readAll(source, 1000)).records).toEqual(wanted);
  }
});

test.each([
  ['CSV', 'format csv', csv],
  ['Parquet', 'format parquet', parquet],
])('partitions of %s, beside files that are not meant', async (name, format, sourceOf) => {
  const path = join(folder, `partitions of ${name}`);
  await duck.run(`copy (${query}) to '${path}' (${format}, partition_by (day))`);
  await writeFile(join(path, '_SUCCESS'), '');
  await mkdir(join(path, 'day=1/.tmp'));
  await writeFile(join(path, 'day=1/.tmp/half.csv'), 'broken');
  const ids = (await readAll(sourceOf(path), 1000)).records.map(({ id }) => Number(id));
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  const second = (await readAll(sourceOf(`${path}/day=1/**`))).records;
  expect(second.every(({ id }) => id % 3n === 1n)).toBe(true);
  expect(second).toHaveLength(1667);
});
