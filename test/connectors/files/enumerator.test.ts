import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileSource } from '../../../src/connectors/files/index.ts';
import { createEnumerator } from '../../../src/connectors/registry.ts';
import { splitsOf } from '../read.ts';

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fctl-find-'));
  const names = [
    'in/c.csv',
    'in/a.csv',
    'in/b.txt',
    'in/.hidden.csv',
    'in/_SUCCESS',
    'in/more/d.csv',
    'in/.staging-x/part-0-0.csv',
    'in/_temporary/e.csv',
    'odd/[1]*.csv',
    'hidden/.a.csv',
    'hidden/_b/c.csv',
  ];
  for (const name of names) {
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), '');
  }
  await mkdir(join(base, 'linked'));
  await symlink(join(base, 'in/a.csv'), join(base, 'linked/a.csv'));
  await symlink(join(base, 'in/more'), join(base, 'linked/folder'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const inFolder = ['in/a.csv', 'in/b.txt', 'in/c.csv', 'in/more/d.csv'];

const find = async (path: string) =>
  (await splitsOf(FileSource.text(path), base)).map((split) => {
    const file = split['file'] as string;
    expect(file.startsWith(`${base}/`)).toBe(true);
    return file.slice(base.length + 1);
  });

describe('the files of a path', () => {
  test.each([
    ['a file', 'in/b.txt', ['in/b.txt']],
    ['a hidden file that is named', 'in/.hidden.csv', ['in/.hidden.csv']],
    ['a folder with everything below it that is not hidden', 'in', inFolder],
    ['a folder with a slash', 'in/', inFolder],
    ['a folder of links', 'linked', ['linked/a.csv', 'linked/folder/d.csv']],
    ['a glob', 'in/*.csv', ['in/a.csv', 'in/c.csv']],
    ['a glob of links', 'linked/*', ['linked/a.csv', 'linked/folder/d.csv']],
    ['a glob that folders match', 'i*', inFolder],
    [
      'a deep glob: not in hidden folders',
      'in/**/*.csv',
      ['in/a.csv', 'in/c.csv', 'in/more/d.csv'],
    ],
    ['alternatives', 'in/{b,c}.*', ['in/b.txt', 'in/c.csv']],
    ['a file whose name looks like a glob', 'odd/[1]*.csv', ['odd/[1]*.csv']],
  ])('%s', async (_what, path, files) => {
    expect(await find(path)).toEqual(files);
    expect(await find(join(base, path))).toEqual(files);
  });

  test.each([
    ['nothing', 'none.csv', 'the input ABSOLUTE does not exist'],
    ['something below a file', 'in/a.csv/b', 'the input ABSOLUTE does not exist'],
    ['a folder with hidden files only', 'hidden', 'the input folder ABSOLUTE has no files'],
    ['a glob without matches', 'in/*.parquet', 'no file matches the input ABSOLUTE'],
  ])('%s is an error that names the absolute path', async (_what, path, message) => {
    await expect(find(path)).rejects.toThrow(message.replace('ABSOLUTE', join(base, path)));
  });
});

describe('the enumerator', () => {
  const start = async (path: string) => {
    const { enumerator } = FileSource.text(path);
    const started = await createEnumerator(enumerator, { workingDirectory: base, jobId: 'a' });
    await started.start();
    return started;
  };
  const request = { subtaskIndex: 0, parallelism: 2 };
  const split = (name: string) => ({ id: join(base, name), file: join(base, name) });

  test('hands out the files in ascending order, then nothing more', async () => {
    const enumerator = await start('in');
    for (const name of inFolder) {
      expect(await enumerator.next(request)).toEqual(split(name));
    }
    expect(await enumerator.next(request)).toBeNull();
    expect(await enumerator.next(request)).toBeNull();
  });

  test('splits that come back go to where they were, with their positions', async () => {
    const enumerator = await start('in');
    await enumerator.next(request);
    await enumerator.next(request);
    enumerator.addBack([split('in/b.txt'), { ...split('in/a.csv'), position: 7 }]);
    expect(await enumerator.next(request)).toEqual({ ...split('in/a.csv'), position: 7 });
    expect(await enumerator.next(request)).toEqual(split('in/b.txt'));
    expect(await enumerator.next(request)).toEqual(split('in/c.csv'));
    expect(await enumerator.next(request)).toEqual(split('in/more/d.csv'));
    expect(await enumerator.next(request)).toBeNull();
    enumerator.addBack([split('in/c.csv')]);
    expect(await enumerator.next(request)).toEqual(split('in/c.csv'));
  });

  test('a snapshot has what is left, and stays as it was', async () => {
    const enumerator = await start('in');
    await enumerator.next(request);
    const snapshot = enumerator.snapshot();
    await enumerator.next(request);
    const files = inFolder.slice(1).map((name) => ({ path: join(base, name), size: 0 }));
    expect(snapshot).toEqual({ ready: [], files, from: 0 });
    await enumerator.close();
  });

  test('fails at the start when the input is missing', async () => {
    await expect(start('none')).rejects.toThrow(`the input ${join(base, 'none')} does not exist`);
  });
});
