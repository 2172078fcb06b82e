import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeJob, describeJobs } from '../../../src/cli/output/jobs.ts';
import type { JobAttemptsResponse } from '../../../src/contract/fctl-rest.ts';
import type { JobOutcome, VertexOutcome } from '../../../src/contract/outcome.ts';
import type { JobDetails, VertexSummary } from '../../../src/contract/rest.ts';

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

describe('what was skipped and what came too late', () => {
  const vertex = (skipped: number, late: number) =>
    ({ ...vertexOf, 'skipped-records': skipped, 'late-records': late }) satisfies VertexSummary;

  it('is told of a job that runs or has ended in a session', () => {
    for (const state of ['RUNNING', 'FINISHED']) {
      const vertices = [vertex(1200, 0), vertex(3, 7)];
      const text = stripVTControlCharacters(describeJobs([{ ...job, state, vertices }]));
      expect(text.split('\n').slice(-2)).toEqual([
        '  dropped 7 late records',
        '  skipped 1,203 malformed records',
      ]);
    }
  });

  it('is told, by vertex too, of a job that has ended', () => {
    const text = stripVTControlCharacters(describeJob(ended({ skippedRecords: 2 })));
    expect(text).toMatch(
      /LATE +SKIPPED\n.* 5 +2\n {2}dropped 5 late records\n {2}skipped 2 malformed records$/,
    );
  });

  it('is no line where nothing was, or an earlier version did not say it', () => {
    const text =
      describeJob(ended({ lateRecords: 0 })) + describeJobs([{ ...job, vertices: [vertex(0, 0)] }]);
    expect(text).not.toMatch(/skipped|dropped/);
  });
});

const vertexOf: VertexSummary = {
  id: 'v',
  slotSharingGroupId: 'g',
  name: 'Source: a',
  maxParallelism: 128,
  parallelism: 1,
  status: 'RUNNING',
  'start-time': 0,
  'end-time': -1,
  duration: 1000,
  tasks: {},
  metrics: {
    'read-bytes': 0,
    'read-bytes-complete': true,
    'write-bytes': 0,
    'write-bytes-complete': true,
    'read-records': 0,
    'read-records-complete': true,
    'write-records': 0,
    'write-records-complete': true,
    'accumulated-backpressured-time': 0,
    'accumulated-idle-time': 0,
    'accumulated-busy-time': 0,
  },
};

const ended = (counts: Partial<VertexOutcome>): JobOutcome => ({
  id: 'a',
  name: 'flights',
  state: 'FINISHED',
  startTime: 0,
  endTime: 1,
  error: null,
  accumulators: {},
  vertices: [
    {
      id: 'v',
      name: 'Source: a',
      parallelism: 1,
      state: 'FINISHED',
      recordsIn: 0,
      recordsOut: 0,
      bytesIn: 0,
      bytesOut: 0,
      lateRecords: 5,
      ...counts,
    },
  ],
});
