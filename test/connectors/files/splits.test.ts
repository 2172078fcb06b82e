/** One large text file as many splits: however it is divided, and wherever a reader goes on, the rows are the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Source, Split } from '../../../src/api/source.ts';
import { types } from '../../../src/api/types.ts';
import { FileSource, type TextReadOptions } from '../../../src/connectors/files/index.ts';
import { divided, openReader, poll, readAll, splitsOf } from '../read.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-splits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, ending = ''): Promise<string> {
  const path = join(folder, `in-${count++}${ending}`);
  await writeFile(path, content);
  return path;
}

type Encoding = NonNullable<TextReadOptions['encoding']>;

function encoded(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(
    text,
    encoding === 'utf-16le' ? 'utf16le' : encoding === 'utf-8' ? 'utf8' : 'latin1',
  );
}

const record = types.record({ a: types.string, b: types.optional(types.string) });

interface Kind {
  readonly name: string;
  readonly sourceOf: (path: string, encoding: Encoding) => Source<unknown>;
  readonly content: fc.Arbitrary<string>;
}

const lineEnd = fc.constantFrom('\n', '\r\n');
const word = fc.constantFrom('', 'x', 'ü', 'long word', '€'.repeat(20), "'", ' ');
const lastEnd = fc.boolean();

/** Rows with their ends; the last one perhaps without. */
const joined = (row: fc.Arbitrary<string>, first = '') =>
  fc
    .tuple(fc.array(fc.tuple(row, lineEnd), { maxLength: 40, size: '+1' }), lastEnd)
    .map(([rows, isEnded]) => {
      const text = first + rows.map(([line, end]) => line + end).join('');
      return isEnded ? text : text.replace(/\r?\n$/, '');
    });

const plainField = fc.constantFrom('', 'x', 'Rome', 'ü', '5" wide', ' "q" ', 'long '.repeat(8));
const quotedField = fc
  .array(fc.constantFrom('x', ',', '\n', '\r\n', '""', 'ü', 'a,b\n1,2\n', ' '), { maxLength: 6 })
  .map((parts) => `"${parts.join('')}"`);
/** Also rows that are malformed: another width, quotes that close nothing or are never closed. */
const csvRow = fc.oneof(
  fc
    .tuple(fc.oneof(plainField, quotedField), fc.oneof(plainField, quotedField))
    .map((r) => r.join(',')),
  fc.constantFrom('', '"x"y,1', 'a,b,c', 'one', '"never,1', '"",""', '"a\n"b,c', '""",x'),
);

const kinds: readonly Kind[] = [
  {
    name: 'text',
    sourceOf: (path, encoding) => FileSource.text(path, { encoding }),
    content: joined(fc.oneof(word, fc.constant('lone\rcr'))),
  },
  {
    name: 'JSON Lines, with lines skipped',
    sourceOf: (path, encoding) => FileSource.jsonl(path, record, { encoding, onError: 'skip' }),
    content: joined(
      fc.oneof(
        word.map((a) => JSON.stringify({ a })),
        fc.constantFrom('', 'oops', '{"a":5'),
      ),
    ),
  },
  {
    name: 'CSV, with rows skipped',
    sourceOf: (path, encoding) => FileSource.csv(path, record, { encoding, onError: 'skip' }),
    content: joined(csvRow, 'a,b\n'),
  },
  {
    name: 'CSV with a header of several lines behind blank ones',
    sourceOf: (path, encoding) =>
      FileSource.csv(path, types.record({ 'a\nb': types.string }), { encoding, onError: 'skip' }),
    content: joined(csvRow, '\n\r\n"a\nb",c\n'),
  },
  {
    name: 'CSV without a header',
    sourceOf: (path, encoding) =>
      FileSource.csv(path, record, { encoding, header: false, onError: 'skip' }),
    content: fc.tuple(fc.constantFrom('', '\n\r\n'), joined(csvRow)).map((parts) => parts.join('')),
  },
  {
    name: 'CSV without quotes',
    sourceOf: (path, encoding) =>
      FileSource.csv(path, record, { encoding, quote: null, onError: 'skip' }),
    content: joined(csvRow, 'a,b\n'),
  },
  {
    name: 'TSV, in which quotes are mostly data',
    sourceOf: (path, encoding) =>
      FileSource.csv(path, record, { encoding, separator: '\t', onError: 'skip' }),
    content: joined(
      csvRow.map((row) => row.replaceAll(',', '\t')),
      'a\tb\n',
    ),
  },
];

const encodings: readonly Encoding[] = ['utf-8', 'latin1', 'utf-16le', 'utf-16be'];
const encodingOf = fc.constantFrom(...encodings);

/** Each split by a reader of its own. */
async function readDivided(
  source: Source<unknown>,
): Promise<{ records: unknown[]; skipped: number }> {
  const records: unknown[] = [];
  let skipped = 0;
  for (const split of await splitsOf(source)) {
    const reading = openReader(source);
    reading.reader.addSplit(split);
    reading.reader.noMoreSplits();
    await poll(reading, 7);
    await reading.reader.close();
    records.push(...reading.records);
    skipped += reading.skipped();
  }
  return { records, skipped };
}

describe('any division gives the same rows, and skips the same', () => {
  test.each(kinds)('$name', async ({ sourceOf, content }) => {
    let splits = 0;
    await fc.assert(
      fc.asyncProperty(
        content,
        encodingOf,
        fc.integer({ min: 1, max: 40 }),
        async (text, encoding, splitBytes) => {
          const source = sourceOf(await file(encoded(text, encoding)), encoding);
          const whole = await readAll(source);
          const parts = divided(source, splitBytes);
          splits += (await splitsOf(parts)).length;
          expect(await readDivided(parts)).toEqual({
            records: whole.records,
            skipped: whole.skipped(),
          });
        },
      ),
      { numRuns: 60 },
    );
    expect(splits).toBeGreaterThan(240);
  });
});

describe('a position is the byte at which the next row begins', () => {
  test.each(kinds)(
    '$name: whoever goes on from there gives the rest',
    async ({ sourceOf, content }) => {
      await fc.assert(
        fc.asyncProperty(
          content,
          encodingOf,
          fc.integer({ min: 1, max: 60 }),
          fc.integer({ min: 0, max: 30 }),
          fc.integer({ min: 1, max: 9 }),
          async (text, encoding, splitBytes, first, batch) => {
            const bytes = encoded(text, encoding);
            const source = divided(sourceOf(await file(bytes), encoding), splitBytes);
            const all = (await readDivided(source)).records;
            const one = openReader(source);
            for (const split of await splitsOf(source)) one.reader.addSplit(split);
            one.reader.noMoreSplits();
            await poll(one, batch, first);
            const left = JSON.parse(JSON.stringify(one.reader.snapshot())) as Split[];
            await one.reader.close();
            const position = left[0]?.['position'];
            if (typeof position === 'number') {
              expect(position).toBeLessThanOrEqual(bytes.length);
              expect(position % (encoding.startsWith('utf-16') ? 2 : 1)).toBe(0);
            }
            const two = openReader(source);
            for (const split of left) two.reader.addSplit(split);
            two.reader.noMoreSplits();
            await poll(two, batch);
            await two.reader.close();
            expect([...one.records, ...two.records]).toEqual(all);
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test('it is where the bytes are', async () => {
    const path = await file('\uFEFFa,b\r\nü,1\r\n"x\ny",2\n\nz,3');
    const reading = openReader(FileSource.csv(path, record));
    reading.reader.addSplit({ id: path, file: path });
    reading.reader.noMoreSplits();
    const positions: unknown[] = [];
    for (let rows = 1; rows <= 3; rows++) {
      await poll(reading, 1, rows);
      positions.push(reading.reader.snapshot()[0]!['position']);
    }
    const whole = Buffer.from('\uFEFFa,b\r\nü,1\r\n"x\ny",2\n\nz,3');
    expect(positions).toEqual([whole.indexOf('"x'), whole.indexOf('\nz,3'), whole.length]);
    await reading.reader.close();
  });
});

test.each([
  [
    '.gz',
    (bytes: Buffer) =>
      Buffer.concat([gzipSync(bytes.subarray(0, 50)), gzipSync(bytes.subarray(50))]),
  ],
  [
    '.zst',
    (bytes: Buffer) =>
      Buffer.concat([
        zstdCompressSync(bytes.subarray(0, 50)),
        zstdCompressSync(bytes.subarray(50)),
      ]),
  ],
])('%s: one split, whose positions are those of the text in it', async (ending, compress) => {
  const rows = Array.from({ length: 40 }, (_, i) => `"r\n${i}",${i}\n`);
  const path = await file(compress(Buffer.from(`a,b\n${rows.join('')}`)), `.csv${ending}`);
  const source = divided(FileSource.csv(path, record), 10);
  const splits = await splitsOf(source);
  expect(splits).toEqual([{ id: path, file: path }]);
  const all = (await readAll(source)).records;
  expect(all).toHaveLength(40);
  const position = Buffer.from(`a,b\n${rows.slice(0, 13).join('')}`).length;
  const reading = openReader(source);
  reading.reader.addSplit({ ...splits[0]!, position });
  reading.reader.noMoreSplits();
  await poll(reading);
  expect(reading.records).toEqual(all.slice(13));
});

describe('large files', () => {
  const row = (i: number) => `"city, ${i}",${i}\n`;
  const rows = Array.from({ length: 60_000 }, (_, i) => row(i));

  test('become splits of about the size that was asked for, ascending and without gaps', async () => {
    const content = `a,b\n${rows.join('')}`;
    const path = await file(content);
    const splitBytes = 100_000;
    const splits = await splitsOf(divided(FileSource.csv(path, record), splitBytes));
    expect(splits.length).toBe(Math.round(content.length / splitBytes));
    expect(splits[0]!['from']).toBe(0);
    expect(splits.at(-1)!['to']).toBeNull();
    for (const [i, split] of splits.slice(1).entries()) {
      expect(split['from']).toBe(splits[i]!['to']);
      expect(content.slice(Number(split['from'])).startsWith('"city')).toBe(true);
      expect(split['from']).toBeLessThan((i + 1) * splitBytes + (i + 1) * 100);
    }
  });

  test('errors name the line of the file, not that of the split', async () => {
    for (const [bad, message] of [
      ['"x",y,z\n', '50002: the row has 3 columns, the header 2'],
      ['"never\n', '50002: the row that begins here has a quote that is never closed'],
    ] as const) {
      const path = await file(`a,b\n${rows.toSpliced(50_000, 0, bad).join('')}`);
      const source = divided(FileSource.csv(path, record), 100_000);
      await expect(readAll(source)).rejects.toThrow(`${path}:${message}`);
    }
    const lines = await file(
      rows
        .map(() => '{"a":"x"}\n')
        .toSpliced(50_000, 0, '{}\n')
        .join(''),
    );
    const source = divided(FileSource.jsonl(lines, record), 100_000);
    await expect(readAll(source)).rejects.toThrow(`${lines}:50001: field 'a'`);
  });

  test('are handed to all who ask at once, each split to one', async () => {
    const path = await file(rows.join(''));
    const source = divided(FileSource.csv(path, record, { header: false }), 50_000);
    const { createEnumerator } = await import('../../../src/connectors/registry.ts');
    const enumerator = await createEnumerator(source.enumerator, {
      workingDirectory: '/',
      jobId: 'a',
      epoch: 1,
    });
    await enumerator.start();
    const ask = async (subtaskIndex: number) => enumerator.next({ subtaskIndex, parallelism: 50 });
    const asked = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)));
    await enumerator.close();
    const given = asked.filter((split) => split !== null);
    expect(new Set(given.map(({ id }) => id)).size).toBe(given.length);
    expect(given).toEqual(await splitsOf(source));
  });
});
