/** What the bytes of a text file mean, and which files are refused because nobody says it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { types } from '../../../src/api/types.ts';
import { FileSource } from '../../../src/connectors/files/index.ts';
import { divided, readAll } from '../read.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-encodings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, ending = ''): Promise<string> {
  const path = join(folder, `in-${count++}${ending}`);
  await writeFile(path, content);
  return path;
}

const le = (text: string) => Buffer.from(text, 'utf16le');
const be = (text: string) => le(text).swap16();
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  );

const city = types.record({ name: types.string, size: types.int32 });
const text = 'name,size\nKöln €,1\n"Đà\nNẵng 😀",2\n';
const cities = [
  { name: 'Köln €', size: 1 },
  { name: 'Đà\nNẵng 😀', size: 2 },
];

describe('CSV', () => {
  test.each([
    ['UTF-8', Buffer.from(text), {}],
    ['UTF-8 with its mark', Buffer.from(`\uFEFF${text}`), {}],
    ['UTF-8, declared', Buffer.from(`\uFEFF${text}`), { encoding: 'utf-8' as const }],
    ['UTF-16 LE by its mark', le(`\uFEFF${text}`), {}],
    ['UTF-16 BE by its mark', be(`\uFEFF${text}`), {}],
    ['UTF-16 LE, declared', le(text), { encoding: 'utf-16le' as const }],
    ['UTF-16 BE, declared, with its mark', be(`\uFEFF${text}`), { encoding: 'utf-16be' as const }],
    ['CRLF', Buffer.from(text.replaceAll(',1\n', ',1\r\n').replace('size\n', 'size\r\n')), {}],
  ])('%s', async (_what, content, options) => {
    const path = await file(content);
    for (const splitBytes of [1, 20, 1_000_000]) {
      const source = divided(FileSource.csv(path, city, options), splitBytes);
      expect((await readAll(source)).records).toEqual(cities);
    }
  });

  test('Latin-1, declared', async () => {
    const path = await file(Buffer.from('name,size\nKöln,1\nMálaga,2\n', 'latin1'));
    const source = FileSource.csv(path, city, { encoding: 'latin1' });
    expect((await readAll(source)).records.map((c) => c.name)).toEqual(['Köln', 'Málaga']);
  });

  test('rows that are no UTF-8 are malformed, and no other ones', async () => {
    const rows = [
      'a,1\n',
      '"b\n',
      0xf6,
      '",2\n',
      'K',
      0xf6,
      'ln,3\n',
      '\uFFFD,4\n',
      'x',
      0xff,
      '"y,\n',
      'e,5\n',
    ];
    const path = await file(bytes('name,size\n', ...rows));
    for (const splitBytes of [1, 15, 1_000_000]) {
      const source = divided(FileSource.csv(path, city), splitBytes);
      await expect(readAll(source)).rejects.toThrow(
        `${path}:4: it is not UTF-8: say which \`encoding\``,
      );
      const skipping = divided(FileSource.csv(path, city, { onError: 'skip' }), splitBytes);
      const reading = await readAll(skipping);
      expect(reading.records.map((c) => c.size)).toEqual([1, 4, 5]);
      expect(reading.skipped()).toBe(3);
    }
  });
});

describe('refused', () => {
  const read = async (content: Uint8Array, options = {}, ending = '') =>
    readAll(FileSource.text(await file(content, ending), options));

  test.each([
    [
      'UTF-16 LE that nobody declares',
      le('a,b\n'),
      {},
      "it looks like UTF-16, say encoding: 'utf-16le'",
    ],
    [
      'UTF-16 BE that nobody declares',
      be('a,b\n'),
      {},
      "it looks like UTF-16, say encoding: 'utf-16be'",
    ],
    [
      'another byte order mark than declared',
      be('\uFEFFa\n'),
      { encoding: 'utf-16le' },
      'byte order mark of utf-16be, not utf-16le',
    ],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), {}, 'it is UTF-32'],
    ['Latin-1 that nobody declares', Buffer.from('a\nKöln\n', 'latin1'), {}, ':2: it is not UTF-8'],
    [
      'half a character',
      Buffer.concat([le('a\n'), Buffer.of(0x62)]),
      { encoding: 'utf-16le' },
      'it ends within a character',
    ],
    [
      'gzip without its ending',
      gzipSync('a\nb\n'),
      {},
      ':1: it looks compressed: give the file the ending .gz',
    ],
    [
      'zstd without its ending',
      zstdCompressSync('a\nb\n'.repeat(100)),
      {},
      ':1: it looks compressed: give the file the ending .zst',
    ],
  ])('%s', async (_what, content, options, message) => {
    await expect(read(content, options)).rejects.toThrow(message);
  });

  test('an encoding that there is not', () => {
    const encoding = 'ebcdic' as 'latin1';
    for (const create of [
      () => FileSource.text('x', { encoding }),
      () => FileSource.csv('x', city, { encoding }),
      () => FileSource.jsonl('x', city, { encoding }),
    ]) {
      expect(create).toThrow("there is no encoding 'ebcdic', but 'utf-8', 'utf-16le'");
    }
  });
});

describe('ends of lines', () => {
  const lines = async (content: string, options = {}) =>
    (await readAll(FileSource.text(await file(content), options))).records;

  test('CR alone ends lines in a file that has no LF', async () => {
    expect(await lines('a\rb\r\rc')).toEqual(['a', 'b', '', 'c']);
    expect(await lines('a\r')).toEqual(['a']);
    const path = await file('\uFEFFname,size\rRome,1\r"a\rb",2\r');
    expect((await readAll(FileSource.csv(path, city))).records).toEqual([
      { name: 'Rome', size: 1 },
      { name: 'a\nb', size: 2 },
    ]);
  });

  test('in all other files it is a character', async () => {
    expect(await lines('10 %\r100 %\ndone\r\n')).toEqual(['10 %\r100 %', 'done']);
  });

  test('CR alone, of UTF-16, divided', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => `row ${i}\u0a0d\u0d0a`);
    const path = await file(be(`\uFEFF${rows.join('\r')}`));
    const source = divided(FileSource.text(path), 40);
    expect((await readAll(source)).records).toEqual(rows);
  });
});

describe('compressed files', () => {
  const long = Array.from({ length: 200_000 }, (_, i) => `line ${i}`);
  const content = Buffer.from(long.map((line) => `${line}\n`).join(''));
  const cut = 700_001;
  const halves = [content.subarray(0, cut), content.subarray(cut)];

  test.each([
    ['.gz', gzipSync(content)],
    ['.GZ', gzipSync(content)],
    ['.gz', Buffer.concat(halves.map((half) => gzipSync(half)))],
    ['.zst', zstdCompressSync(content)],
    ['.zst', Buffer.concat(halves.map((half) => zstdCompressSync(half)))],
    [
      '.zst',
      Buffer.concat(
        Array.from({ length: 200_000 / 1000 }, (_, i) =>
          zstdCompressSync(
            Buffer.from(
              long
                .slice(i * 1000, (i + 1) * 1000)
                .map((line) => `${line}\n`)
                .join(''),
            ),
          ),
        ),
      ),
    ],
  ])('%s, number %#', async (ending, compressed) => {
    const path = await file(compressed, `.txt${ending}`);
    expect((await readAll(FileSource.text(path), 5000)).records).toEqual(long);
  });

  test('of nothing, or of UTF-16', async () => {
    for (const [ending, compress] of [
      ['.gz', gzipSync],
      ['.zst', zstdCompressSync],
    ] as const) {
      expect((await readAll(FileSource.text(await file(compress(''), ending)))).records).toEqual(
        [],
      );
      const path = await file(compress(le(`\uFEFF${text}`)), ending);
      expect((await readAll(FileSource.csv(path, city))).records).toEqual(cities);
    }
  });

  test.each([
    ['cut off', '.gz', gzipSync(content).subarray(0, -9)],
    ['cut off', '.zst', zstdCompressSync(content).subarray(0, -1)],
    ['of another format', '.gz', content],
    ['of another format', '.zst', content],
    ['without a byte', '.gz', Buffer.alloc(0)],
  ])('%s is named: %s', async (_what, ending, broken) => {
    const path = await file(broken, ending);
    await expect(readAll(FileSource.text(path))).rejects.toThrow(`cannot decompress ${path}: `);
  });

  test('an error names the line of the text', async () => {
    const path = await file(gzipSync('name,size\nRome,1\nOslo,x\n'), '.gz');
    await expect(readAll(FileSource.csv(path, city))).rejects.toThrow(`${path}:3: column 'size'`);
  });

  test.each(['.bz2', '.xz', '.lz4', '.zip'])(
    '%s is refused by name before anything is read',
    async (ending) => {
      const path = await file('', `.csv${ending}`);
      await expect(readAll(FileSource.csv(path, city))).rejects.toThrow(
        `the input ${path} is compressed with `,
      );
    },
  );
});
