/** What every driver of the FileSystem port must do. A driver's own test calls this with a factory. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileSystem, type StorageFault, isAbsent } from '../../src/storage/file-system.ts';

export interface Place {
  readonly fileSystem: FileSystem;
  /** An absolute path, of a folder that nobody else uses. */
  readonly root: string;
  remove(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);
const failsWith = (fault: StorageFault) => ({ name: 'StorageError', fault });

export function fileSystemContract(name: string, createPlace: () => Promise<Place>): void {
  describe(`FileSystem contract: ${name}`, () => {
    let place: Place;
    let fs: FileSystem;
    const at = (path: string) => `${place.root}/${path}`;
    const textOf = async (path: string) => (await fs.read(at(path))).toString();
    const namesIn = async (path: string) =>
      (await fs.list(at(path))).map((entry) => entry.name).sort();

    beforeEach(async () => {
      place = await createPlace();
      fs = place.fileSystem;
      await fs.createFolder(place.root);
    });
    afterEach(() => place.remove());

    test('stat: what it is, how large, how old; null when it is not there', async () => {
      await fs.createFolder(at('folder'));
      await fs.replace(at('folder/file'), bytes('12345'));
      const status = await fs.stat(at('folder/file'));
      expect(status).toMatchObject({ kind: 'file', size: 5 });
      expect(Math.abs(Date.now() - status!.modifiedMs)).toBeLessThan(60_000);
      expect(await fs.stat(at('folder'))).toMatchObject({ kind: 'folder', size: 0 });
      expect(await fs.stat(at('folder/none'))).toBeNull();
      expect(await fs.stat(at('folder/file/below'))).toBeNull();
    });

    test('list: one level, with what stat says; nothing of a folder that is not there', async () => {
      await fs.createFolder(at('a/deeper'));
      await fs.replace(at('a/deeper/x'), bytes('x'));
      await fs.replace(at('a/file'), bytes('123'));
      const entries = (await fs.list(at('a'))).sort((x, y) => (x.name < y.name ? -1 : 1));
      expect(entries).toMatchObject([
        { name: 'deeper', kind: 'folder', size: 0 },
        { name: 'file', kind: 'file', size: 3 },
      ]);
      expect(entries[1]).toEqual({ name: 'file', ...(await fs.stat(at('a/file'))) });
      expect(await fs.list(at('none'))).toEqual([]);
    });

    test('list: folders of many files', async () => {
      const names = Array.from({ length: 200 }, (_, i) => `f${i}`);
      for (const each of names) await fs.createIfAbsent(at(each), bytes(each));
      expect(await namesIn('.')).toEqual(names.sort());
    });

    test.each(['a b', '100%', '%20', '#1?x=y', 'ü✓', 'a+b', '\'"\\', '~', '*', 'line\nbreak'])(
      'every character of a name means itself: %j',
      async (name) => {
        await fs.replace(at(name), bytes(name));
        expect(await namesIn('.')).toEqual([name]);
        expect(await textOf(name)).toBe(name);
        expect(await fs.stat(at(name))).toMatchObject({ kind: 'file' });
        await fs.delete(at(name));
        expect(await namesIn('.')).toEqual([]);
      },
    );

    test('ranged reads: what is there of the range', async () => {
      const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
      await fs.replace(at('file'), content);
      const file = await fs.open(at('file'));
      try {
        for (const [position, length] of [
          [0, 10],
          [99_990, 10],
          [99_990, 50],
          [100_000, 1],
          [200_000, 5],
          [70_000, 0],
          [1, 99_999],
        ] as const) {
          const got = await file.read(position, length);
          expect(got.equals(content.subarray(position, position + length))).toBe(true);
        }
        const several = await Promise.all([file.read(5, 5), file.read(0, 5), file.read(50, 5)]);
        expect(several.map((each) => each[0])).toEqual([5, 0, 50]);
      } finally {
        await file.close();
      }
      expect((await fs.read(at('file'))).equals(content)).toBe(true);
    });

    test('reading what is not there is absent', async () => {
      await expect(fs.read(at('none'))).rejects.toMatchObject(failsWith('absent'));
      const read = async () => (await fs.open(at('none'))).read(0, 1);
      await expect(read()).rejects.toMatchObject(failsWith('absent'));
      expect(isAbsent(await read().catch((error: unknown) => error))).toBe(true);
    });

    test('createIfAbsent: the first one, and nothing of the others', async () => {
      expect(await fs.createIfAbsent(at('file'), bytes('first'))).toBe(true);
      expect(await fs.createIfAbsent(at('file'), bytes('second'))).toBe(false);
      expect(await textOf('file')).toBe('first');
      expect(await namesIn('.')).toEqual(['file']);
    });

    test('createIfAbsent: of many at once, one', async () => {
      const tries = Array.from({ length: 20 }, (_, i) => bytes(`try ${i}`.repeat(1000)));
      const won = await Promise.all(tries.map((each) => fs.createIfAbsent(at('file'), each)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await fs.read(at('file'))).equals(tries[won.indexOf(true)]!)).toBe(true);
      expect(await namesIn('.')).toEqual(['file']);
    });

    test('replace: creates or replaces; readers see one or the other', async () => {
      const contents = ['a', 'b'].map((letter) => letter.repeat(100_000));
      await fs.replace(at('file'), bytes(contents[0]!));
      let isDone = false;
      const writing = (async () => {
        for (let i = 0; i < 20; i++) await fs.replace(at('file'), bytes(contents[i % 2]!));
        isDone = true;
      })();
      for (let reads = 0; reads < 5 || !isDone; reads++) {
        expect(contents).toContain(await textOf('file'));
      }
      await writing;
      expect(await namesIn('.')).toEqual(['file']);
    });

    test('create: bit by bit', async () => {
      const writer = await fs.create(at('file'));
      await writer.write(bytes('one '));
      await writer.write(bytes(''));
      await writer.write(bytes('two'));
      await writer.finish();
      expect(await textOf('file')).toBe('one two');
      const empty = await fs.create(at('empty'));
      await empty.finish();
      expect(await fs.stat(at('empty'))).toMatchObject({ kind: 'file', size: 0 });
    });

    test('create: not where something is', async () => {
      await fs.replace(at('file'), bytes('there'));
      const create = async () => {
        const writer = await fs.create(at('file'));
        await writer.finish(); // S3 notices it now
      };
      await expect(create()).rejects.toMatchObject(failsWith('exists'));
      expect(await textOf('file')).toBe('there');
    });

    test('create: of what is aborted nothing is left', async () => {
      const writer = await fs.create(at('file'));
      await writer.write(bytes('half'));
      await writer.abort();
      expect(await namesIn('.')).toEqual([]);
      await writer.abort();
    });

    test('createFolder: with its parents, again too; not where a file is', async () => {
      await fs.createFolder(at('a/b/c'));
      await fs.createFolder(at('a/b/c'));
      await fs.createIfAbsent(at('a/b/c/file'), bytes(''));
      await fs.syncFolder(at('a/b/c'));
      expect(await namesIn('a/b/c')).toEqual(['file']);
    });

    test('delete: a file, a folder with everything in it, what is not there', async () => {
      await fs.createFolder(at('a/b'));
      await fs.replace(at('a/b/file'), bytes('1'));
      await fs.replace(at('ab'), bytes('2'));
      await fs.delete(at('a'));
      expect(await namesIn('.')).toEqual(['ab']);
      await fs.delete(at('a'));
      await fs.delete(at('none/below'));
      await fs.delete(at('ab'));
      expect(await namesIn('.')).toEqual([]);
    });

    describe('renaming, where it is supported', () => {
      const renames = ['rename', 'renameIfAbsent'] as const;

      test.each(renames)('%s: the file is there and nowhere else', async (rename) => {
        await fs.createFolder(at('to'));
        await fs.replace(at('from'), bytes('1'));
        if (!fs.capabilities.rename) {
          const error = failsWith('unsupported');
          await expect(fs[rename](at('from'), at('to/x'))).rejects.toMatchObject(error);
          return;
        }
        const result = await fs[rename](at('from'), at('to/x'));
        expect(result).toBe(rename === 'rename' ? undefined : true);
        await fs.syncFolder(at('to'));
        expect(await textOf('to/x')).toBe('1');
        expect(await namesIn('.')).toEqual(['to']);
      });

      test('rename replaces, renameIfAbsent does not', async ({ skip }) => {
        if (!fs.capabilities.rename) skip();
        await fs.replace(at('from'), bytes('new'));
        await fs.replace(at('to'), bytes('old'));
        expect(await fs.renameIfAbsent(at('from'), at('to'))).toBe(false);
        expect([await textOf('from'), await textOf('to')]).toEqual(['new', 'old']);
        await fs.rename(at('from'), at('to'));
        expect(await textOf('to')).toBe('new');
        expect(await namesIn('.')).toEqual(['to']);
      });

      test.each(renames)('%s: what is not there is absent', async (rename) => {
        if (!fs.capabilities.rename) return;
        await expect(fs[rename](at('none'), at('to'))).rejects.toMatchObject(failsWith('absent'));
      });

      test('renameIfAbsent: of many at once, one', async ({ skip }) => {
        if (!fs.capabilities.rename) skip();
        const names = Array.from({ length: 10 }, (_, i) => `from${i}`);
        for (const each of names) await fs.replace(at(each), bytes(each));
        const won = await Promise.all(names.map((each) => fs.renameIfAbsent(at(each), at('to'))));
        expect(won.filter(Boolean)).toHaveLength(1);
        const winner = names[won.indexOf(true)]!;
        expect(await textOf('to')).toBe(winner);
        expect(await namesIn('.')).toEqual(names.filter((each) => each !== winner).concat('to'));
      });
    });
  });
}
