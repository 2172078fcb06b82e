import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { words } from '../../examples/word-count/app.ts';
import { testJob } from '../../src/testing/index.ts';

test('counts the words of all files, whatever their case, in any script', async () => {
  const workingDirectory = await mkdtemp(join(tmpdir(), 'fctl-words-'));
  try {
    await mkdir(join(workingDirectory, 'in'));
    await writeFile(join(workingDirectory, 'in/a.txt'), 'The Elbe, the Rhône;\r\nthe Öster-Dal\n');
    await writeFile(join(workingDirectory, 'in/b.txt'), '\nÖSTER 42 река Elbe');
    const result = await testJob(words, { input: 'in', output: 'out' }, { workingDirectory });
    const counts = result
      .collected<{ word: string; count: number }>()
      .map(({ word, count }) => [word, count] as const);
    expect(new Map(counts)).toEqual(
      new Map([
        ['the', 3],
        ['elbe', 2],
        ['rhône', 1],
        ['öster', 2],
        ['dal', 1],
        ['река', 1],
      ]),
    );
    expect(counts).toHaveLength(6);
  } finally {
    await rm(workingDirectory, { recursive: true, force: true });
  }
});
