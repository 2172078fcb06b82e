/** Many files, and how often each of them is opened. */
import { execFile } from 'node:child_process';
import type * as FileSystem from 'node:fs/promises';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { types } from '../../../src/api/types.ts';
import { FileSource } from '../../../src/connectors/files/index.ts';
import { divided, readAll } from '../read.ts';

const opened = vi.hoisted(() => new Map<string, number>());
vi.mock('node:fs/promises', async (importOriginal) => {
  const original: typeof FileSystem = await importOriginal();
  const open = (...args: Parameters<typeof original.open>) => {
    const path = String(args[0]);
    opened.set(path, (opened.get(path) ?? 0) + 1);
    return original.open(...args);
  };
  return { ...original, open };
});

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-many-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const row = types.record({ n: types.int32 });

function parquetOf(numbers: readonly number[]): Uint8Array {
  const columnData = [{ name: 'n', data: [...numbers], type: 'INT32' as const }];
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10 }));
}

test('the footer of a Parquet file is read once by its reader, however many row groups it has', async () => {
  const path = join(folder, 'groups.parquet');
  const numbers = Array.from({ length: 45 }, (_, i) => i);
  await writeFile(path, parquetOf(numbers));
  const source = FileSource.parquet(path, row);
  opened.clear();
  expect((await readAll(source)).records.map((r) => r.n)).toEqual(numbers);
  expect(opened.get(path)).toBe(1);
  opened.clear();
  expect((await readAll(divided(source, 100))).records.map((r) => r.n)).toEqual(numbers);
  expect(opened.get(path)).toBe(2); // also by the enumerator, which divides it
});

test.each([
  ['Parquet', 'parquet', (i: number) => parquetOf([i])],
  ['CSV', 'csv', (i: number) => Buffer.from(`n\n${i}\n`)],
])('a thousand files of %s need no more descriptors than one', async (_what, format, contentOf) => {
  const many = join(folder, format);
  const count = 1000;
  for (let i = 0; i < count; i++) {
    const day = join(many, `day=${i % 10}`);
    await mkdir(day, { recursive: true });
    await writeFile(join(day, `part-${i}.${format}`), contentOf(i));
  }
  const modules = (path: string) => JSON.stringify(import.meta.resolve(path));
  const script = `
    import { FileSource } from ${modules('../../../src/connectors/files/index.ts')};
    import { types } from ${modules('../../../src/api/types.ts')};
    import { readAll } from ${modules('../read.ts')};
    const row = types.record({ n: types.int32 });
    const { records } = await readAll(FileSource.${format}(${JSON.stringify(many)}, row));
    console.log(records.length, records.reduce((sum, { n }) => sum + n, 0));`;
  const limited = `ulimit -n 60 && exec "$0" --input-type=module -e "$1"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
  expect(stdout.trim()).toBe(`${count} ${(count * (count - 1)) / 2}`);
});
