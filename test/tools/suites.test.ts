/** The table of suites is whole: no file of integration tests is forgotten, none runs twice. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { suites } from '../../tools/ci/suites.ts';

const root = join(import.meta.dirname, '../..');

it('names every file of test/integration exactly once', () => {
  const files = globSync('test/integration/**/*.test.ts', { cwd: root }).toSorted();
  const runs = files.map((file) => ({
    file,
    by: suites.filter(({ name }) => file.includes(name)).map(({ name }) => name),
  }));
  expect(runs.filter(({ by }) => by.length !== 1)).toEqual([]);
  expect(runs).toHaveLength(suites.length);
});

it('names rigs and folders that are there', () => {
  for (const { apartFrom, rigs } of suites) {
    for (const rig of rigs) expect(existsSync(join(root, 'test/rigs', rig, 'install'))).toBe(true);
    for (const path of apartFrom)
      expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  }
});
