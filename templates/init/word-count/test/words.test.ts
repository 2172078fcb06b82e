/** The job in this process, without a cluster: `npm test`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testJob } from 'fctl/testing';
import { words } from '../src/app.ts';

test('counts words, whatever their case', async () => {
  const result = await testJob(
    words,
    { input: 'lines', output: 'nowhere' },
    { sources: { lines: ['To be, or', 'not to BE'] } },
  );
  const counted = result.collected<{ word: string; count: number }>();
  assert.deepEqual(Object.fromEntries(counted.map(({ word, count }) => [word, count])), {
    to: 2,
    be: 2,
    or: 1,
    not: 1,
  });
});
