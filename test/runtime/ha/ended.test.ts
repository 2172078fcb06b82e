import { expect, it } from 'vitest';
import { hasEnded } from '../../../src/runtime/ha/ended.ts';
import { MemoryRecord } from './memory-record.ts';

interface Documents {
  readonly outcome: number | null;
  readonly endpoint: number | null;
  /** `afterEpoch` of the releases, oldest first. */
  readonly releases: readonly number[];
}

async function recordOf({ outcome, endpoint, releases }: Documents): Promise<MemoryRecord> {
  const record = new MemoryRecord();
  if (outcome !== null) await record.write('outcome', { epoch: outcome }, null);
  if (endpoint !== null) await record.write('endpoint', { epoch: endpoint }, null);
  const entries = releases.map((afterEpoch) => ({ afterEpoch }));
  await record.write('releases', { releases: entries }, null);
  return record;
}

it.each<[string, Documents, boolean]>([
  ['nothing was written yet', { outcome: null, endpoint: null, releases: [0] }, false],
  ['a JobManager leads', { outcome: null, endpoint: 1, releases: [0] }, false],
  ['it wrote the outcome', { outcome: 1, endpoint: 1, releases: [0] }, true],
  ['it ended before it led', { outcome: 1, endpoint: null, releases: [0] }, true],
  ['the outcome is of the release before', { outcome: 1, endpoint: 1, releases: [0, 1] }, false],
  ['another JobManager leads since', { outcome: 1, endpoint: 2, releases: [0] }, false],
  ['the release is not known', { outcome: 1, endpoint: 1, releases: [] }, false],
])('%s', async (_what, documents, ended) => {
  expect(await hasEnded(await recordOf(documents))).toBe(ended);
});

it('is not known of a record that cannot be read', async () => {
  const record = await recordOf({ outcome: 1, endpoint: 1, releases: [0] });
  record.read = () => Promise.reject(new Error('damaged'));
  expect(await hasEnded(record)).toBe(false);
});
