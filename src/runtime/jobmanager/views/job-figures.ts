/** The metrics of a job. Pure. */
import type { JobFigures } from '../../../contract/metrics/job-metrics.ts';
import type { JobView } from './cluster-view.ts';

export function jobFigures(job: JobView): JobFigures {
  const { attempt, endTime, now, state, timestamps } = job;
  const ended = endTime >= 0;
  const since = (status: keyof typeof timestamps) =>
    state === status ? now - timestamps[status] : 0;
  const started = timestamps.RUNNING;
  const running = started > 0 ? (ended ? endTime : now) - started : 0;
  return {
    restarts: attempt,
    uptimeMs: ended ? -1 : state === 'RUNNING' ? running : 0,
    downtimeMs: ended ? -1 : since('RESTARTING'),
    createdMs: since('CREATED'),
    initializingMs: since('INITIALIZING'),
    runningMs: running,
    restartingMs: since('RESTARTING'),
    cancellingMs: since('CANCELLING'),
    failingMs: since('FAILING'),
  };
}
