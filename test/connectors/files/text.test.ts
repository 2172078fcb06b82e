import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PollStatus } from '../../../src/api/source.ts';
import { type TypeDescriptor, types } from '../../../src/api/types.ts';
import { FileSink, FileSource } from '../../../src/connectors/files/index.ts';
import { openReader, poll, readAll, readInTwo, splitsOf } from '../read.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-text-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(folder, `in-${count++}`);
  await writeFile(path, content);
  return path;
}

const flight = types.record({ from: types.string, delay: types.int32 });

describe('text', () => {
  const lines = async (content: string, batch?: number) =>
    (await readAll(FileSource.text(await file(content)), batch)).records;

  test('lines end with LF or CRLF; the last may have no end; a byte order mark is left out', async () => {
    expect(await lines('\uFEFFa\r\nb\n\nc')).toEqual(['a', 'b', '', 'c']);
    expect(await lines('a\nb\n')).toEqual(['a', 'b']);
    expect(await lines('\n')).toEqual(['']);
  });

  test('an empty file has no lines', async () => {
    expect(await lines('')).toEqual([]);
    expect(await lines('\uFEFF')).toEqual([]);
  });

  test('characters and CRLF that lie across chunks of the file stay whole', async () => {
    const long = 'ü'.repeat(200_000); // 400 000 bytes: a chunk ends within
    const odd = `x${long}`;
    expect(await lines(`${odd}\r\n${long}\r\nend`)).toEqual([odd, long, 'end']);
    const edge = 'a'.repeat(256 * 1024 - 1);
    expect(await lines(`${edge}\r\nb\r\n`)).toEqual([edge, 'b']);
  });

  test('a line of many chunks is put together', async () => {
    const long = Array.from({ length: 400_000 }, (_, i) => String(i)).join(' ');
    expect(await lines(`\uFEFF${long}\r\n${long}\nend`)).toEqual([long, long, 'end']);
  });

  test('any lines come back as they are, whatever the batch', async () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 8 })
      .filter((s) => !/[\r\n\uFEFF]/.test(s));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), async (wanted, batch) => {
        expect(await lines(wanted.map((s) => `${s}\n`).join(''), batch)).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  test('a file that is gone when it is read is named', async () => {
    const path = await file('a\n');
    const reading = openReader(FileSource.text(path));
    await rm(path);
    reading.reader.addSplit({ id: path, file: path });
    await expect(poll(reading)).rejects.toThrow(`cannot read ${path}: ENOENT`);
    await reading.reader.close();
  });
});

describe('CSV', () => {
  const read = async (content: string, options = {}, batch = 100) =>
    readAll(FileSource.csv(await file(content), flight, options), batch);
  const records = async (content: string, options = {}) => (await read(content, options)).records;

  test('the header says which column is which field; other columns are passed over', async () => {
    expect(await records('delay,carrier,from\n5,XY,Rome\n-3,ZZ,Oslo\n')).toEqual([
      { from: 'Rome', delay: 5 },
      { from: 'Oslo', delay: -3 },
    ]);
  });

  test('without a header the columns are the fields in their order', async () => {
    expect(await records('Rome,5\nOslo,6', { header: false })).toEqual([
      { from: 'Rome', delay: 5 },
      { from: 'Oslo', delay: 6 },
    ]);
  });

  test.each([
    ['CRLF', 'from,delay\r\nRome,5\r\n'],
    ['a last line without an end', 'from,delay\nRome,5'],
    ['a byte order mark', '\uFEFFfrom,delay\nRome,5\n'],
    ['a byte order mark and a quoted header', '\uFEFF"from","delay"\nRome,5\n'],
    ['empty lines', 'from,delay\n\nRome,5\n\n\n'],
    ['LF in the header and CRLF after it', 'from,delay\nRome,5\r\n'],
    ['CRLF in the header and LF after it', 'from,delay\r\nRome,5\n'],
  ])('%s', async (_what, content) => {
    expect(await records(content)).toEqual([{ from: 'Rome', delay: 5 }]);
  });

  test('quoted fields hold separators, quotes and line ends', async () => {
    expect(await records('from,delay\n"a,""b""\r\nc\n","5"\n')).toEqual([
      { from: 'a,"b"\r\nc\n', delay: 5 },
    ]);
  });

  test('without a header a row has at least the columns of the type', async () => {
    expect(await records('Rome,5,more\n', { header: false })).toEqual([{ from: 'Rome', delay: 5 }]);
    const path = await file('Rome,5\nOslo\n');
    await expect(readAll(FileSource.csv(path, flight, { header: false }))).rejects.toThrow(
      `${path}:2: column 'delay' is missing: the row has 1 columns`,
    );
  });

  test('an unquoted separator does not shift the columns silently', async () => {
    const type = types.record({ from: types.string, to: types.string });
    const path = await file('from,to\nRome, Italy,Oslo\nBern,Bonn\n');
    await expect(readAll(FileSource.csv(path, type))).rejects.toThrow(
      `${path}:2: the row has 3 columns, the header 2`,
    );
    const reading = await readAll(FileSource.csv(path, type, { onError: 'skip' }));
    expect(reading.records).toEqual([{ from: 'Bern', to: 'Bonn' }]);
    expect(reading.skipped()).toBe(1);
  });

  test('another separator', async () => {
    expect(await records('from;delay\nRome, It;5\n', { separator: ';' })).toEqual([
      { from: 'Rome, It', delay: 5 },
    ]);
  });

  test('a file without rows, or without anything, has no records', async () => {
    expect(await records('from,delay\n')).toEqual([]);
    expect(await records('')).toEqual([]);
  });

  test('a column that the header lacks fails, also when malformed rows are skipped', async () => {
    for (const onError of ['fail', 'skip'] as const) {
      const path = await file('from,late\nRome,5\n');
      await expect(readAll(FileSource.csv(path, flight, { onError }))).rejects.toThrow(
        `${path}:1: the header has no column 'delay'; it has from, late`,
      );
    }
  });

  test('an optional field may be empty, or have no column', async () => {
    const type = types.record({ from: types.string, delay: types.optional(types.int32) });
    const both = await readAll(FileSource.csv(await file('from,delay\nRome,\nOslo,4\n'), type));
    expect(both.records).toEqual([{ from: 'Rome' }, { from: 'Oslo', delay: 4 }]);
    const none = await readAll(FileSource.csv(await file('from\nRome\n'), type));
    expect(none.records).toEqual([{ from: 'Rome' }]);
  });

  test.each([
    ['delay', 'from,delay\nRome,5\nOslo,soon\n', `3: column 'delay': expected int32, got "soon"`],
    [
      'delay',
      'from,delay\nRome,5000000000\n',
      `2: column 'delay': expected int32, got "5000000000"`,
    ],
    ['delay', 'from,delay\nRome,\n', `2: column 'delay': expected int32, got ""`],
    ['delay', 'from,delay\nRome,1.5\n', `2: column 'delay': expected int32, got "1.5"`],
    ['short row', 'from,delay\nRome\n', '2: the row has 1 columns, the header 2'],
    ['long row', 'from,delay\nRome,5,\n', '2: the row has 3 columns, the header 2'],
    ['after empty lines', 'from,delay\n\n\nRome,x\n', `4: column 'delay': expected int32, got "x"`],
    ['after CRLF', 'from,delay\r\nOslo,1\r\nRome,x\r\n', `3: column 'delay': expected int32`],
    ['after a quoted line end', 'from,delay\n"a\nb",1\nRome,x\n', `4: column 'delay': expected`],
    ['in several lines', 'from,delay\n"a\nb",x\n', `3: column 'delay': expected`],
  ])('a malformed %s fails with file and line', async (_what, content, message) => {
    const path = await file(content);
    await expect(readAll(FileSource.csv(path, flight))).rejects.toThrow(`${path}:${message}`);
  });

  test('malformed rows are skipped and counted when the source says so', async () => {
    const content = 'from,delay\nRome,5\nOslo,soon\nBern\nBonn,7\n';
    const reading = await read(content, { onError: 'skip' });
    expect(reading.records).toEqual([
      { from: 'Rome', delay: 5 },
      { from: 'Bonn', delay: 7 },
    ]);
    expect(reading.skipped()).toBe(2);
  });

  test('a quote that never ends is named where it begins, not where the file ends', async () => {
    const path = await file(`from,delay\nRome,5\n"Oslo,6\n${'Bern,7\n'.repeat(100)}`);
    await expect(readAll(FileSource.csv(path, flight))).rejects.toThrow(
      `${path}:3: the row that begins here has a quote that is never closed`,
    );
  });

  test('a quote that never ends takes no other row with it when the source skips what is malformed', async () => {
    const content = 'from,delay\nRome,5\n"Oslo,6\nBonn,7\nBern,"8\n';
    const reading = await read(content, { onError: 'skip' });
    expect(reading.records).toEqual([
      { from: 'Rome', delay: 5 },
      { from: 'Bonn', delay: 7 },
    ]);
    expect(reading.skipped()).toBe(2);
  });

  test.each([
    ['Os"lo,6', 'Os"lo'],
    ['5" wide,6', '5" wide'],
    ['"Oslo"x,6', '"Oslo"x'],
    ['"Oslo" "x",6', '"Oslo" "x"'],
    ['O"s"l"o,6', 'O"s"l"o'],
    ['"a""b" c,6', '"a""b" c'],
    ['"a\nb"c,6', 'b"c', '"a'],
    ['"x,y"z,6', 'z,6', '"x'],
  ])(
    'a quote in the row %j that encloses no whole field is a letter',
    async (row, city, malformed?: string) => {
      const content = `from,delay\nRome,5\n${row}\nBonn,7\n`;
      const reading = await read(content, { onError: 'skip' });
      const good = malformed === undefined || !row.includes('x,y');
      expect(reading.records).toEqual([
        { from: 'Rome', delay: 5 },
        ...(good ? [{ from: city, delay: 6 }] : []),
        { from: 'Bonn', delay: 7 },
      ]);
      expect(reading.skipped()).toBe(malformed === undefined ? 0 : 1);
    },
  );

  test('a malformed row far in a file of several chunks is found, after the rows before it', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `city number ${i},${i}\n`).join('');
    const path = await file(`from,delay\n${rows}"x"y\n${rows}`);
    await expect(readAll(FileSource.csv(path, flight), 5000)).rejects.toThrow(`${path}:60002: `);
    const skipping = await readAll(FileSource.csv(path, flight, { onError: 'skip' }), 5000);
    expect(skipping.records).toHaveLength(120_000);
    expect(skipping.skipped()).toBe(1);
  });

  test('types of columns', async () => {
    const type = types.record({
      i: types.int64,
      d: types.double,
      b: types.boolean,
      t: types.timestamp,
      x: types.bytes,
    });
    const path = await file(
      'i,d,b,t,x\n9007199254740993,-1.5e3,true,2024-01-02 03:04:05,AQI=\n-1,NaN,0,2024-01-02T00:00:00+01:00,\n3,2,1,86400000,\n',
    );
    expect((await readAll(FileSource.csv(path, type))).records).toEqual([
      {
        i: 9007199254740993n,
        d: -1500,
        b: true,
        t: Date.UTC(2024, 0, 2, 3, 4, 5),
        x: new Uint8Array([1, 2]),
      },
      { i: -1n, d: Number.NaN, b: false, t: Date.UTC(2024, 0, 1, 23), x: new Uint8Array() },
      { i: 3n, d: 2, b: true, t: 86_400_000, x: new Uint8Array() },
    ]);
  });

  test.each([
    ['long', types.long, '9007199254740993'],
    ['int64', types.int64, '9223372036854775808'],
    ['double', types.double, ''],
    ['boolean', types.boolean, 'yes'],
    ['timestamp', types.timestamp, 'yesterday'],
  ])('a %s is checked', async (kind, type, text) => {
    const path = await file(`v,w\n${text},1\n`);
    const source = FileSource.csv<unknown>(
      path,
      types.record({ v: type as TypeDescriptor<unknown> }),
    );
    await expect(readAll(source)).rejects.toThrow(
      `${path}:2: column 'v': expected ${kind}, got "${text}"`,
    );
  });

  test('a long in JSON is a number that is held exactly, and named to the last digit otherwise', async () => {
    const type = types.record({ v: types.long });
    const good = await file('{"v":9007199254740991}\n{"v":-9007199254740991}\n');
    expect((await readAll(FileSource.jsonl(good, type))).records).toEqual([
      { v: Number.MAX_SAFE_INTEGER },
      { v: Number.MIN_SAFE_INTEGER },
    ]);
    const beyond = await file('{"v":9007199254740993}\n');
    await expect(readAll(FileSource.jsonl(beyond, type))).rejects.toThrow(
      'expected long, got 9007199254740993',
    );
  });

  test('needs a record type', () => {
    expect(() => FileSource.csv('x', types.string)).toThrow('needs a record type, not string');
  });

  test.each([
    [{ separator: '' }, 'a separator is a text without line breaks'],
    [{ separator: '\n' }, 'a separator is a text without line breaks'],
    [{ separator: '"' }, "'\"' has a quote"],
    [{ quote: '' }, 'a quote is one character'],
    [{ quote: "''" }, 'a quote is one character'],
    [{ quote: ',' }, 'a quote is one character'],
    [{ quote: '\t' }, 'a quote is one character'],
  ])('the form %j is refused', (options, message) => {
    expect(() => FileSource.csv('x', flight, options)).toThrow(`FileSource.csv: ${message}`);
    expect(() => FileSink.csv('x', { type: flight, ...options })).toThrow(
      `FileSink.csv: ${message}`,
    );
  });

  test('fields that are lists, maps and records are JSON', async () => {
    const type = types.record({
      l: types.list(types.int64),
      m: types.map(types.string),
      r: types.optional(types.record({ a: types.double })),
    });
    const path = await file(
      'l,m,r\n"[1,9007199254740993]","{""k"":5}","{""a"":""NaN""}"\n[],{},\n',
    );
    expect((await readAll(FileSource.csv(path, type))).records).toEqual([
      { l: [1n, 9007199254740993n], m: new Map([['k', '5']]), r: { a: Number.NaN } },
      { l: [], m: new Map() },
    ]);
    const bad = await file('l,m\n[1,{}\n');
    await expect(readAll(FileSource.csv(bad, type))).rejects.toThrow('got "[1"');
    const no = await file('l,m\nx,{}\n');
    await expect(readAll(FileSource.csv(no, type))).rejects.toThrow(
      `${no}:2: column 'l': expected list of int64, got "x"`,
    );
  });

  test('an empty field is nothing, an empty text in quotes is a text, where a text may be nothing', async () => {
    const type = types.record({
      s: types.optional(types.string),
      b: types.optional(types.bytes),
      n: types.optional(types.int32),
    });
    const path = await file('s,b,n\n,,\n"","",""\n"x",AQ==,1\n');
    expect((await readAll(FileSource.csv(path, type))).records).toEqual([
      {},
      { s: '', b: new Uint8Array() },
      { s: 'x', b: new Uint8Array([1]), n: 1 },
    ]);
  });

  test.each([
    ['blanks around names', ' from , delay\nRome,5\n'],
    ['blanks around numbers', 'from,delay\nRome, 5 \n'],
    ['a plus', 'from,delay\nRome,+5\n'],
    ['a second column of a name that is not read', 'x,from,x,delay\n1,Rome,2,5\n'],
    ['quotes around all', '"from","delay"\n"Rome","5"\n'],
  ])('%s are read over', async (_what, content) => {
    expect(await records(content)).toEqual([{ from: 'Rome', delay: 5 }]);
  });

  test.each([
    ['from,delay,from', "two columns 'from', the 1st and the 3rd"],
    ['delay,from, from ,x', "two columns 'from', the 2nd and the 3rd", ' from'],
    [' delay,from,"delay "', "two columns 'delay', the 1st and the 3rd"],
  ])('a header with %s is refused', async (header, message, named = 'from') => {
    const path = await file(`${header}\n1,2,3,4\n`);
    const isExact = named !== 'from';
    const reading = readAll(FileSource.csv(path, flight, { onError: 'skip' }));
    // A name that is there exactly is meant, whatever others look like it.
    if (isExact) await expect(reading).resolves.toBeDefined();
    else await expect(reading).rejects.toThrow(`${path}:1: the header has ${message}`);
  });
});

test('a text of CSV that is kept keeps no block of the file in memory', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const type = types.record({ name: types.string });
  const row = `a name longer than a few letters,${'x'.repeat(1000)}\n`;
  const reading = openReader(FileSource.csv(await file(`name,more\n${row.repeat(20_000)}`), type));
  const [split] = await splitsOf(FileSource.csv(join(folder, `in-${count - 1}`), type));
  reading.reader.addSplit({ ...split!, to: null });
  reading.reader.noMoreSplits();
  const kept: { name: string }[] = [];
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let rows = 0, status = -1; status !== PollStatus.end;) {
    const emit = (value: { name: string }) => {
      if (rows++ % 100 === 0) kept.push(value);
    };
    status = reading.reader.poll({ emit }, 256);
    if (status === PollStatus.wait) await reading.reader.available();
  }
  await reading.reader.close();
  gc();
  expect(kept).toHaveLength(200);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8e6); // the file has 20 MB
});

describe('JSON Lines', () => {
  test('one value a line; empty lines are passed over', async () => {
    const path = await file(
      '\uFEFF{"from":"Rome","delay":5}\r\n\n{"delay":6,"from":"Oslo","more":1}',
    );
    expect((await readAll(FileSource.jsonl(path, flight))).records).toEqual([
      { from: 'Rome', delay: 5 },
      { from: 'Oslo', delay: 6 },
    ]);
  });

  test.each([
    ['no JSON', '{"from":', ':2: '],
    ['a wrong type', '{"from":"Oslo","delay":"6"}', `:2: field 'delay': expected int32, got "6"`],
    ['a missing field', '{"from":"Oslo"}', `:2: field 'delay': expected int32, got undefined`],
    ['null in a field', '{"from":null,"delay":1}', `:2: field 'from': expected string, got null`],
    ['no record', '[1]', ':2: expected { from: string, delay: int32 }, got a list'],
  ])('%s fails with file and line, or is skipped and counted', async (_what, line, message) => {
    const path = await file(`{"from":"Rome","delay":5}\n${line}\n{"from":"Bonn","delay":7}\n`);
    await expect(readAll(FileSource.jsonl(path, flight))).rejects.toThrow(`${path}${message}`);
    const reading = await readAll(FileSource.jsonl(path, flight, { onError: 'skip' }));
    expect(reading.records.map((r) => r.from)).toEqual(['Rome', 'Bonn']);
    expect(reading.skipped()).toBe(1);
  });

  test('fields are those of the value, not of every object', async () => {
    const type = types.record({ constructor: types.optional(types.string) });
    const path = await file('{}\n{"constructor":"x"}\n');
    const { records } = await readAll(FileSource.jsonl<object>(path, type));
    expect(records.map((r) => Object.entries(r))).toEqual([[], [['constructor', 'x']]]);
  });

  test('values within values', async () => {
    const type = types.record({
      n: types.int64,
      tags: types.list(types.string),
      at: types.timestamp,
      more: types.map(types.double),
      either: types.union(types.int32, types.string),
      none: types.optional(types.string),
      raw: types.bytes,
    });
    const path = await file(
      '{"n":"9007199254740993","tags":["a"],"at":"2024-01-02","more":{"x":1.5},"either":"e","none":null,"raw":"AQ=="}\n',
    );
    expect((await readAll(FileSource.jsonl(path, type))).records).toEqual([
      {
        n: 9007199254740993n,
        tags: ['a'],
        at: Date.UTC(2024, 0, 2),
        more: new Map([['x', 1.5]]),
        either: 'e',
        raw: new Uint8Array([1]),
      },
    ]);
  });
});

describe('a reader that goes on from a snapshot gives exactly the rest', () => {
  const cuts = fc.record({
    first: fc.integer({ min: 0, max: 45 }),
    batch: fc.integer({ min: 1, max: 50 }),
  });
  const rows = Array.from({ length: 40 }, (_, i) => i);

  test.each([
    ['text', (path: string) => FileSource.text(path), rows.map((i) => `${i}\n`).join('')],
    [
      'CSV, with rows skipped',
      (path: string) => FileSource.csv(path, flight, { onError: 'skip' }),
      `from,delay\n${rows.map((i) => (i % 5 === 2 ? 'x,y\n' : i % 5 === 3 ? 'a"b,1\n' : `"c\n${i}",${i}\n`)).join('')}`,
    ],
    [
      'JSON Lines, with rows skipped',
      (path: string) => FileSource.jsonl(path, flight, { onError: 'skip' }),
      rows.map((i) => (i % 4 === 1 ? 'oops\n\n' : `{"from":"x","delay":${i}}\n`)).join(''),
    ],
  ])('%s', async (_what, sourceOf, content) => {
    const source = sourceOf(await file(content));
    const all: unknown[] = (await readAll<unknown>(source)).records;
    expect(all.length).toBeGreaterThan(20);
    await fc.assert(
      fc.asyncProperty(cuts, async ({ first, batch }) => {
        const [before, after] = await readInTwo<unknown>(source, first, batch);
        expect(before).toEqual(all.slice(0, first));
        expect(after).toEqual(all.slice(first));
      }),
      { numRuns: 60 },
    );
  });
});
