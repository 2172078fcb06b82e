/** An outcome for which there is no space yet, on a record in memory and a clock moved by hand. */
import { beforeEach, expect, it } from 'vitest';
import { ApplicationStatus } from '../../../src/contract/outcome.ts';
import { DocumentName } from '../../../src/record/documents.ts';
import { readDocument } from '../../../src/record/record.ts';
import { describeWriteError } from '../../../src/record/store.ts';
import { type Leadership, standForLeadership } from '../../../src/runtime/ha/leadership.ts';
import { writeOutcomePatiently } from '../../../src/runtime/ha/patient-outcome.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { MemoryRecord } from './memory-record.ts';

let record: MemoryRecord;
let leadership: Leadership;
let clock: ManualClock;
let fault: Error | null;
let told: string[];
let end: AbortController;

beforeEach(async () => {
  clock = new ManualClock();
  end = new AbortController();
  told = [];
  fault = null;
  record = new MemoryRecord();
  const write = record.write.bind(record);
  record.write = async (...args) => {
    if (fault !== null) throw fault;
    return write(...args);
  };
  const candidacy = await standForLeadership(record);
  const jobmanager = { resourceId: 'jobmanager-0', pid: 1 };
  leadership = await candidacy.lead({ rest: 'http://x', rpc: 'ws://x', jobmanager });
});

const noSpace = () =>
  describeWriteError(Object.assign(new Error('no space'), { code: 'ENOSPC' }), '/record') as Error;

const write = () =>
  writeOutcomePatiently(
    leadership,
    { status: ApplicationStatus.canceled, startTime: 0, endTime: 1, error: null, jobs: [] },
    { clock, signal: end.signal, onWait: ({ message }) => told.push(message) },
  );

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const outcome = async () => (await readDocument(record, DocumentName.outcome)).value;

async function pass(seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    clock.advance(1000);
    await settle();
  }
}

it('is written as soon as there is, and what is waited for is told once', async () => {
  fault = noSpace();
  const written = write();
  await settle();
  await pass(60);
  expect(await outcome()).toBeNull();
  expect(told).toEqual(["the cluster's record cannot be written: the disk is full"]);
  fault = null;
  await pass(1);
  await written;
  expect(await outcome()).toMatchObject({ status: 'CANCELED' });
});

it('is given up when the platform ends the JobManager', async () => {
  fault = noSpace();
  const written = write();
  await settle();
  await pass(3);
  end.abort();
  await expect(written).rejects.toThrow('the disk is full');
});

it('is not waited for where something else is the matter', async () => {
  fault = new Error('the device is gone');
  await expect(write()).rejects.toThrow('the device is gone');
  expect(told).toEqual([]);
});
