import { expect, it } from 'vitest';
import { measuredJobManager } from '../../../../src/runtime/jobmanager/views/measured-job-manager.ts';
import { samplesOf } from '../../../../src/runtime/metrics/samples.ts';
import { fakeView, jobId, type Phase } from '../../rest/fake-view.ts';

const samplesIn = (phase: Phase | 'empty') =>
  samplesOf(measuredJobManager(fakeView(phase))).map(({ labels, path, value }) => ({
    name: path.join('_'),
    job: labels['job_id'],
    value,
  }));

it('a JobManager tells of itself, its cluster and the jobs that run', () => {
  const samples = samplesIn('running');
  expect(samples).toEqual(
    expect.arrayContaining([
      { name: 'jobmanager_numRunningJobs', job: undefined, value: 1 },
      { name: 'jobmanager_taskSlotsTotal', job: undefined, value: 2 },
      { name: 'jobmanager_Status_JVM_CPU_Time', job: undefined, value: 1_234_500_000 },
      { name: 'jobmanager_job_numRestarts', job: jobId, value: 0 },
    ]),
  );
});

it.each(['finished', 'failed', 'cancelled', 'empty'] as const)(
  'tells of no job that has ended: %s',
  (phase) => {
    const samples = samplesIn(phase);
    expect(samples.filter(({ job }) => job !== undefined)).toEqual([]);
    expect(samples.map(({ name }) => name)).toContain('jobmanager_numRunningJobs');
  },
);
