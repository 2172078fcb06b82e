import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFileDriver } from '../../src/storage/file-driver.ts';
import { onTmpfs, whyNoTmpfs } from '../tmpfs.ts';
import { fileSystemContract } from './contract.ts';

fileSystemContract('file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fctl-storage-'));
  return {
    fileSystem: createFileDriver('shared'),
    root: join(folder, 'root'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

const fs = createFileDriver('shared');
let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fctl-storage-'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

describe('what is neither file nor folder', () => {
  test('has its name', async () => {
    const folder = join(base, 'odd');
    await mkdir(folder);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const server = createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
    try {
      await symlink('loop', join(folder, 'loop'));
      await symlink('nowhere', join(folder, 'nowhere'));
      await symlink('/dev/null', join(folder, 'null'));
      await symlink(base, join(folder, 'up'));
      const kinds = (await fs.list(folder)).map(({ name, kind }) => [name, kind]);
      expect(Object.fromEntries(kinds)).toEqual({
        pipe: 'pipe',
        socket: 'socket',
        loop: 'link',
        nowhere: 'link',
        null: 'device',
        up: 'folder',
      });
      expect(await fs.stat(join(folder, 'pipe'))).toMatchObject({ kind: 'pipe', size: 0 });
      expect(await fs.stat(join(folder, 'loop'))).toMatchObject({ kind: 'link' });
    } finally {
      server.close();
    }
  });
});

test('private: only the owner may read what is created', async () => {
  const mine = createFileDriver('private');
  const folder = join(base, 'private/below');
  await mine.createFolder(folder);
  await mine.createIfAbsent(join(folder, 'a'), Buffer.from('a'));
  await mine.replace(join(folder, 'b'), Buffer.from('b'));
  await (await mine.create(join(folder, 'c'))).finish();
  const modes = ['', 'a', 'b', 'c'].map(
    async (name) => (await stat(join(folder, name))).mode & 0o777,
  );
  expect(await Promise.all(modes)).toEqual([0o700, 0o600, 0o600, 0o600]);
});

test('renameIfAbsent goes on where a crash has left both names', async () => {
  await writeFile(join(base, 'from'), 'same');
  await link(join(base, 'from'), join(base, 'to'));
  expect(await fs.renameIfAbsent(join(base, 'from'), join(base, 'to'))).toBe(true);
  expect(await fs.stat(join(base, 'from'))).toBeNull();
  expect((await fs.read(join(base, 'to'))).toString()).toBe('same');
});

test.skipIf(whyNoTmpfs !== null)('a full disk is full, and nothing is left', async () => {
  const folder = join(base, 'small');
  await mkdir(folder);
  await onTmpfs(folder, 64, async () => {
    const large = Buffer.alloc(1024 * 1024);
    const full = { fault: 'full', message: 'the disk is full' };
    await expect(fs.createIfAbsent(join(folder, 'a'), large)).rejects.toMatchObject(full);
    await expect(fs.replace(join(folder, 'a'), large)).rejects.toMatchObject(full);
    const writer = await fs.create(join(folder, 'a'));
    await expect(writer.write(large)).rejects.toMatchObject(full);
    await writer.abort();
    expect(await readdir(folder)).toEqual([]);
  });
});

test.skipIf(whyNoTmpfs !== null)('a read-only file system is called so', async () => {
  const folder = join(base, 'fixed');
  await mkdir(folder);
  await onTmpfs(folder, 64, async () => {
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const readOnly = { fault: 'read-only', message: 'the file system is read-only' };
    await expect(fs.createFolder(join(folder, 'a/b/c'))).rejects.toMatchObject(readOnly);
    await expect(fs.replace(join(folder, 'a'), Buffer.from('a'))).rejects.toMatchObject(readOnly);
  });
});

test.skipIf(process.getuid?.() !== 0)('what may not be looked at is not absent', async () => {
  const closed = join(base, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await writeFile(join(closed, 'file'), '');
  // As a user who is nobody: root may read everything.
  const script = `
    import { createFileDriver } from ${JSON.stringify(import.meta.resolve('../../src/storage/file-driver.ts'))};
    process.setgid(65534); process.setuid(65534);
    const fs = createFileDriver('shared');
    for (const call of ['stat', 'list', 'read', 'open'])
      await fs[call](${JSON.stringify(closed)} + (call === 'list' ? '' : '/file')).then(
        () => console.log('nothing'), (error) => console.log(error.fault));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) said += chunk;
  expect(said.trim().split('\n')).toEqual(['denied', 'denied', 'denied', 'denied']);
});
