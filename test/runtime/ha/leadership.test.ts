import { readDocument } from '../../../src/record/record.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobOutcome } from '../../../src/contract/outcome.ts';
import { LeadershipLostError, standForLeadership } from '../../../src/runtime/ha/leadership.ts';
import type { RecordStore } from '../../../src/record/store.ts';
import { openRecord } from '../../../src/runtime/ha/record.ts';

let directory: string;
let record: RecordStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fctl-record-'));
  record = openRecord(pathToFileURL(directory).href);
});

afterEach(() => rm(directory, { recursive: true }));

const endpoint = (name: string) => ({
  rest: `http://${name}`,
  rpc: `ws://${name}`,
  jobmanager: { resourceId: name, pid: 1 },
});
const outcome = { status: 'SUCCEEDED', startTime: 1, endTime: 2, error: null, jobs: [] } as const;

describe('leadership', () => {
  it('begins with epoch 1 and grows with every leader', async () => {
    for (const epoch of [1, 2, 3]) {
      const candidacy = await standForLeadership(record);
      expect(candidacy.epoch).toBe(epoch);
      await candidacy.lead(endpoint(`jm${epoch}`));
      const { value } = await readDocument(record, 'endpoint');
      expect(value).toMatchObject({ epoch, rest: `http://jm${epoch}`, protocol: 1 });
    }
  });

  it('is above the outcome of an earlier run, also without its endpoint (L2)', async () => {
    await record.write('outcome', { ...outcome, protocol: 1, epoch: 7 }, null);
    expect((await standForLeadership(record)).epoch).toBe(8);
  });

  it('goes to one of those that stand at the same time (L1)', async () => {
    const candidates = await Promise.all([1, 2, 3].map(() => standForLeadership(record)));
    const results = await Promise.allSettled(candidates.map((c, i) => c.lead(endpoint(`jm${i}`))));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LeadershipLostError);
    }
  });

  it('is lost to a newer leader, who alone writes the outcome (L3)', async () => {
    const old = await (await standForLeadership(record)).lead(endpoint('old'));
    await old.check();
    const young = await (await standForLeadership(record)).lead(endpoint('young'));
    await expect(old.check()).rejects.toThrow(LeadershipLostError);
    await expect(old.writeOutcome(outcome)).rejects.toThrow(/another JobManager leads/);
    expect((await readDocument(record, 'outcome')).value).toBeNull();
    await young.writeOutcome(outcome);
    expect((await readDocument(record, 'outcome')).value?.epoch).toBe(2);
  });

  it('writes the outcome once', async () => {
    const leader = await (await standForLeadership(record)).lead(endpoint('a'));
    await leader.writeOutcome(outcome);
    await leader.writeOutcome({ ...outcome, status: 'FAILED' });
    const { value, version } = await readDocument(record, 'outcome');
    expect([value?.status, version]).toEqual(['SUCCEEDED', '1']);
  });

  it('replaces the outcome of the run before', async () => {
    const first = await (await standForLeadership(record)).lead(endpoint('a'));
    await first.writeOutcome({ ...outcome, status: 'FAILED' });
    const second = await (await standForLeadership(record)).lead(endpoint('b'));
    await second.writeOutcome(outcome);
    const { value } = await readDocument(record, 'outcome');
    expect(value).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
  });

  it('names the newest of very many jobs in the outcome', async () => {
    const leader = await (await standForLeadership(record)).lead(endpoint('a'));
    const job = { state: 'FINISHED', startTime: 1, endTime: 2, error: null, accumulators: {} };
    const jobs = Array.from({ length: 5000 }, (_, i) => ({
      ...job,
      id: `${i}`,
      name: 'one of many',
      vertices: [],
    })) as unknown as JobOutcome[];
    await leader.writeOutcome({ ...outcome, jobs });
    const kept = (await readDocument(record, 'outcome')).value!.jobs;
    expect(kept.length).toBeGreaterThan(1000);
    expect(kept).toEqual(jobs.slice(-kept.length));
  });
});
