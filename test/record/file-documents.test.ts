import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProviderError } from '../../src/contract/errors.ts';
import { isRecordDamaged, readDocument, writeDocument } from '../../src/record/file-documents.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fctl-documents-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('documents in files', () => {
  it('has version 0 before the first write', async () => {
    expect(await readDocument(folder, 'lock')).toEqual({ version: 0, value: null, ageMs: null });
    expect(await readDocument(join(folder, 'missing'), 'lock')).toEqual({
      version: 0,
      value: null,
      ageMs: null,
    });
  });

  it('reads what was written last and keeps few old versions', async () => {
    let version = 0;
    for (let n = 1; n <= 10; n++) version = (await writeDocument(folder, 'lock', version, { n }))!;
    expect(await readDocument(folder, 'lock')).toMatchObject({ version: 10, value: { n: 10 } });
    expect((await readdir(folder)).length).toBeLessThanOrEqual(3);
  });

  it('refuses a write that expects an older or a newer version', async () => {
    await writeDocument(folder, 'lock', 0, ['first']);
    await writeDocument(folder, 'lock', 1, ['second']);
    expect(await writeDocument(folder, 'lock', 1, ['late'])).toBeNull();
    expect(await writeDocument(folder, 'lock', 0, ['later'])).toBeNull();
    expect(await writeDocument(folder, 'lock', 7, ['early'])).toBeNull();
    expect(await readDocument(folder, 'lock')).toMatchObject({ version: 2, value: ['second'] });
  });

  it('lets exactly one of many concurrent writers win', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => writeDocument(folder, 'lock', 0, [n])),
    );
    const winners = results.flatMap((version, n) => (version === null ? [] : [n]));
    expect(winners).toHaveLength(1);
    expect((await readDocument(folder, 'lock')).value).toEqual([winners[0]]);
  });

  it('keeps documents apart whose names begin alike, and ignores leftovers of a dead writer', async () => {
    await writeDocument(folder, 'release', 0, [1]);
    await writeDocument(folder, 'releases', 0, [2]);
    await writeFile(join(folder, '.release.abc.tmp'), '{"half":');
    expect((await readDocument(folder, 'release')).value).toEqual([1]);
    expect((await readDocument(folder, 'releases')).value).toEqual([2]);
  });

  it.each(['{"half":', '', 'null', '7'])('tells that a document is damaged: %s', async (text) => {
    await writeFile(join(folder, 'lock.3.json'), text);
    const error = await readDocument(folder, 'lock').catch((e: unknown) => e);
    expect(isRecordDamaged(error)).toBe(true);
    expect((error as ProviderError).problems[0]!.file).toBe(join(folder, 'lock.3.json'));
  });
});
