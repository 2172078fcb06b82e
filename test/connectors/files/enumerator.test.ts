import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
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

describe('what is neither a file nor a folder', () => {
  let odd: string;

  beforeAll(async () => {
    odd = join(base, 'strange');
    await mkdir(join(odd, 'mixed'), { recursive: true });
    await writeFile(join(odd, 'mixed/a.csv'), '');
    execFileSync('mkfifo', [join(odd, 'pipe'), join(odd, 'mixed/b.csv')]);
    await symlink('loop', join(odd, 'loop'));
    await symlink('/dev/null', join(odd, 'null'));
    for (const [folder, name, target] of [
      ['broken', 'a.csv', 'nowhere'],
      ['round', 'inner', '../round'],
    ] as const) {
      await mkdir(join(odd, folder));
      await writeFile(join(odd, folder, 'file.csv'), '');
      await symlink(target, join(odd, folder, name));
    }
  });

  test.each([
    ['a pipe', 'pipe', 'the input ODD/pipe is a pipe, not a file'],
    ['a device', 'null', 'the input ODD/null is a device, not a file'],
    [
      'a link to itself',
      'loop',
      'the input ODD/loop is a link that leads nowhere, or back to itself',
    ],
    ['a pipe beside a file', 'mixed', 'the input ODD/mixed/b.csv is a pipe, not a file'],
    [
      'a pipe that a glob matches',
      'mixed/*.csv',
      'the input ODD/mixed/b.csv is a pipe, not a file',
    ],
    [
      'a broken link beside a file',
      'broken',
      'the input ODD/broken/a.csv is a link that leads nowhere',
    ],
    ['a link back', 'round', 'the input ODD/round/inner is a link to a folder that it lies in'],
    [
      'a link back, in a deep glob',
      'round/**/*.csv',
      'the input ODD/round/inner is a link to a folder',
    ],
  ])('%s is called so', async (_what, path, message) => {
    await expect(find(join(odd, path))).rejects.toThrow(message.replace('ODD', odd));
  });

  test('a socket is called so', async () => {
    const server = createServer().listen(join(odd, 'socket'));
    await once(server, 'listening');
    try {
      await expect(find(join(odd, 'socket'))).rejects.toThrow('socket is a socket, not a file');
    } finally {
      server.close();
    }
  });

  test.skipIf(process.getuid?.() !== 0)('a folder that may not be read is called so', async () => {
    const closed = join(odd, 'open/closed');
    await mkdir(closed, { recursive: true, mode: 0o755 });
    await writeFile(join(odd, 'open/a.csv'), '');
    await chmod(base, 0o755);
    await chmod(closed, 0);
    // As a user who is nobody: root may read everything.
    const script = `
      import { findFiles } from ${JSON.stringify(import.meta.resolve('../../../src/connectors/files/find-files.ts'))};
      process.setgid(65534); process.setuid(65534);
      for (const path of ${JSON.stringify([join(odd, 'open'), join(closed, 'x')])})
        await findFiles(path, '/').catch((error) => console.log(error.message));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
    ]);
    const [folder, file] = stdout.trim().split('\n');
    expect(folder).toMatch(`cannot read the input folder ${closed}: EACCES`);
    expect(file).toMatch(`cannot read the input ${closed}/x: EACCES`);
  });
});

test.each([
  'a b',
  '100%',
  '%41',
  '#1?',
  'ü',
  '\'q"',
  '*',
  '[a]',
  'line\nbreak',
  'a:b',
  'x;y',
  '-',
  ' ',
])('a path may hold any character: %j', async (name) => {
  const path = join(base, 'any', name, `${name}.csv`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  const wanted = [`any/${name}/${name}.csv`];
  expect(await find(join(base, 'any', name))).toEqual(wanted);
  expect(await find(path)).toEqual(wanted);
  expect(await find(`./any/${name}/`)).toEqual(wanted);
  expect(await find(`file://${path.replaceAll('%', '%25')}`)).toEqual(wanted);
  expect(await find(pathToFileURL(path).href)).toEqual(wanted);
});

test.each([
  ['', "the path '' is empty"],
  ['s3://bucket/in', "the path 's3://bucket/in' has no file system: there is none for s3:"],
  ['hdfs://name:8020/in/*.csv', 'there is none for hdfs:; this version has file:'],
])('%j is refused', async (path, message) => {
  await expect(find(path)).rejects.toThrow(message);
});

test('~ is the home of whoever runs the process', async () => {
  vi.stubEnv('HOME', base);
  try {
    expect(await find('~/in/*.txt')).toEqual(['in/b.txt']);
  } finally {
    vi.unstubAllEnvs();
  }
});

describe('the enumerator', () => {
  const start = async (path: string) => {
    const { enumerator } = FileSource.text(path);
    const started = await createEnumerator(enumerator, {
      workingDirectory: base,
      jobId: 'a',
      epoch: 1,
    });
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
