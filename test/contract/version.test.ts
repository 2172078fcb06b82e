/** Versions of fctl and of Node.js. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OLDEST_NODE, isTooOld } from '../../src/contract/version.ts';

it('knows the oldest Node.js, as the launcher does', () => {
  const launcher = readFileSync(join(import.meta.dirname, '../../bin/fctl.js'), 'utf8');
  expect(launcher).toContain(`const needed = [${OLDEST_NODE.replace('.', ', ')}];`);
});

it.each([
  ['22.18.0', false],
  ['22.100.0', false],
  ['24.0.0', false],
  ['22.17.9', true],
  ['20.19.0', true],
  ['9.99.0', true],
])('tells whether Node.js %s is too old', (version, tooOld) => {
  expect(isTooOld(version)).toBe(tooOld);
});
