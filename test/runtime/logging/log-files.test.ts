import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listLogFiles, readLogFile } from '../../../src/runtime/logging/log-files.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fctl-logs-'));
  onTestFinished(() => rm(path, { recursive: true }));
  await mkdir(join(path, 'log/inner.log'), { recursive: true });
  await writeFile(join(path, 'secret'), 'hidden');
  await writeFile(join(path, 'secret.log'), 'hidden');
  await writeFile(join(path, 'log/taskmanager-0.out'), 'hi');
  await writeFile(join(path, 'log/taskmanager-0.log'), 'first\nsecond\n');
  await writeFile(join(path, 'log/taskmanager-0.log.1'), 'older\n');
  await writeFile(join(path, 'log/token'), 'hidden');
  await symlink(join(path, 'secret'), join(path, 'log/link.log'));
  return join(path, 'log');
}

const whole = { offset: 0, length: 1000 };
const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString();

describe('log files', () => {
  it('are the regular ones of the folder that are named so', async () => {
    const files = await listLogFiles(await folder());
    expect(files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['taskmanager-0.log', 13],
      ['taskmanager-0.log.1', 6],
      ['taskmanager-0.out', 2],
    ]);
    expect(files[0]!.modified).toBeGreaterThan(1_700_000_000_000);
    expect(await listLogFiles('/nowhere/at/all')).toEqual([]);
  });

  it('are read by ranges', async () => {
    const directory = await folder();
    const read = async (offset: number, length: number) =>
      text(await readLogFile(directory, { name: 'taskmanager-0.log', offset, length }));
    expect(await read(0, 1000)).toBe('first\nsecond\n');
    expect(await read(6, 3)).toBe('sec');
    expect(await read(13, 5)).toBe('');
  });

  it('are read a mebibyte at most at once', async () => {
    const directory = await folder();
    await writeFile(join(directory, 'large.log'), Buffer.alloc(3 * 1024 * 1024, 'x'));
    const bytes = await readLogFile(directory, { name: 'large.log', offset: 5, length: 1e9 });
    expect(bytes).toHaveLength(1024 * 1024);
  });

  it('are the only ones that are read, whatever is asked for (F1)', async () => {
    const directory = await folder();
    const part = fc.constantFrom('..', '.', '/', 'secret', 'secret.log', 'link.log', 'token', '\0');
    const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(fc.oneof(path, fc.string()), async (name) => {
        expect(await readLogFile(directory, { ...whole, name })).toBeNull();
      }),
    );
  });
});
