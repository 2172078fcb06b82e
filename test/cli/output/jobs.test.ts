import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeJobs } from '../../../src/cli/output/jobs.ts';
import type { JobAttemptsResponse } from '../../../src/contract/fctl-rest.ts';
import type { JobDetails } from '../../../src/contract/rest.ts';

const job: JobDetails = {
  jid: 'a',
  'application-id': 'b',
  name: 'flights',
  isStoppable: false,
  'job-type': 'STREAMING',
  schedulerType: 'Default',
  state: 'RUNNING',
  'start-time': 0,
  'end-time': -1,
  duration: 5000,
  maxParallelism: 128,
  now: 5000,
  timestamps: {},
  vertices: [],
  'status-counts': {},
  plan: { jid: 'a', name: 'flights', type: 'STREAMING', nodes: [] },
  'pending-operators': 0,
};

const attempt = (number: number, state: string) => ({
  attempt: number,
  epoch: 1,
  startTime: 0,
  endTime: null,
  state,
});

const head = (known: Partial<JobAttemptsResponse>) => {
  const attempts = [attempt(0, 'RUNNING')];
  const answer = { jobId: 'a', name: 'flights', state: 'RUNNING', attempts, ...known };
  const text = stripVTControlCharacters(describeJobs([job], new Map([['a', answer]])));
  return text.split('\n').slice(1, -1);
};

describe('a job in fctl status', () => {
  it('says what it waits for', () => {
    const waitsFor = "waits for 3 of 4 slots; 1 free; queued behind job 'wide'";
    expect(head({ waitsFor })).toEqual([`  ${waitsFor}`]);
    expect(head({ waitsFor: null })).toEqual([]);
    expect(head({})).toEqual([]); // of a JobManager that does not say it
  });

  it('lists its attempts once it has several', () => {
    const attempts = [attempt(0, 'FAILED'), attempt(1, 'RUNNING')];
    expect(head({ attempts, waitsFor: 'waits for 1 of 1 slot; 0 free' })).toEqual([
      '  attempts: 0 FAILED, 1 RUNNING',
      '  waits for 1 of 1 slot; 0 free',
    ]);
  });
});
