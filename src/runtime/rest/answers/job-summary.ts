/** A job as lists show it. Pure. */
import { LOST } from '../../../contract/outcome.ts';
import type { JobSummary } from '../../../contract/rest.ts';
import type { JobView } from '../../jobmanager/views/cluster-view.ts';
import { jobType } from './plan.ts';
import { withReconciling } from './vertex.ts';

/** Of Flink's schedulers the one that keeps the parallelism of a job. */
export const SCHEDULER = 'Default';

export function jobSummary(job: JobView): JobSummary {
  const counts = Object.entries(withReconciling(job.tasks));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    jid: job.id,
    name: job.name,
    jobType: jobType(job.graph),
    schedulerType: SCHEDULER,
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    state: job.state,
    ...lost(job),
    'last-modification': job.lastModification,
    tasks: Object.fromEntries([
      ...counts.map(([state, count]) => [state.toLowerCase(), count]),
      ['total', total],
    ]),
    'pending-operators': 0,
  };
}

/** Flink knows no such state, and its clients end at one that they do not know. */
export const lost = ({ isLost }: JobView) => (isLost ? { 'fctl-state': LOST } : {});
