/** How a job ended, as the clients that wait for it read it. Pure. */
import type { JobView } from '../../jobmanager/views/cluster-view.ts';
import { causeOf } from './failure-cause.ts';

const applicationStatus: Readonly<Record<string, string>> = {
  FINISHED: 'SUCCEEDED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
};

/**
 * `IN_PROGRESS` until the job has ended. Accumulators are Java-serialized in Flink, and so left out here:
 * `GET /jobs/:jobid/accumulators` has them as text.
 * @param applicationId of the application that it belongs to.
 */
export function executionResult(job: JobView, applicationId: string) {
  if (job.endTime < 0) return { status: { id: 'IN_PROGRESS' } };
  const { duration, endTime, failure, id, name, startTime, state } = job;
  return {
    status: { id: 'COMPLETED' },
    'job-execution-result': {
      id,
      name,
      'application-status': applicationStatus[state] ?? 'UNKNOWN',
      'accumulator-results': {},
      'net-runtime': duration,
      ...(failure === null ? {} : { 'failure-cause': causeOf(failure) }),
      'application-id': applicationId,
      'start-time': startTime,
      'end-time': endTime,
    },
  };
}
