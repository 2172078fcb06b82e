/** A JobManager and its jobs, with Flink's scopes and variables, for reporters. */
import { hostname } from 'node:os';
import { jobMetricRows } from '../../../contract/metrics/job-metrics.ts';
import {
  type JobManagerFigures,
  jobManagerMetricRows,
  processMetricRows,
} from '../../../contract/metrics/process-metrics.ts';
import type { Measured } from '../../metrics/samples.ts';
import { isTerminalJobStatus } from '../scheduler/job-status.ts';
import type { ClusterView } from './cluster-view.ts';
import { jobFigures } from './job-figures.ts';

/** Jobs that have ended are told no more, as by Flink. */
export function measuredJobManager(
  view: Pick<ClusterView, 'jobs' | 'overview' | 'process'>,
): Measured[] {
  const labels = { host: hostname() };
  const values: JobManagerFigures = view.overview();
  return [
    { scope: ['jobmanager'], labels, rows: processMetricRows, values: view.process() },
    { scope: ['jobmanager'], labels, rows: jobManagerMetricRows, values },
    ...view
      .jobs()
      .filter(({ state }) => !isTerminalJobStatus(state))
      .map((job) => ({
        scope: ['jobmanager', 'job'],
        labels: { ...labels, job_id: job.id, job_name: job.name },
        rows: jobMetricRows,
        values: jobFigures(job),
      })),
  ];
}
