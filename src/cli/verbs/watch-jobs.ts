/** Shows the jobs of a submission while they run. */
import { FlinkRestClient } from '../../flink-rest/client.ts';
import type { ReachableEndpoint } from '../../providers/provider.ts';
import { describeJobs } from '../output/jobs.ts';
import type { Progress } from '../output/progress.ts';

const intervalMs = 400;

export interface WatchedJob {
  /** Of the JobManager that runs it; `null`: not known yet. */
  readonly endpoint: ReachableEndpoint | null;
  readonly jobId: string;
}

/**
 * @param jobs those that run now.
 * @returns how to stop it.
 */
export function watchJobs(jobs: () => readonly WatchedJob[], progress: Progress): () => void {
  let stopped = false;
  const look = async () => {
    const shown = await Promise.all(jobs().map(detailsOf));
    const known = shown.filter((details) => details !== null);
    if (!stopped && known.length > 0) progress.view(() => describeJobs(known));
  };
  const timer = setInterval(() => void look(), intervalMs);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

/** A JobManager that does not answer is told by the submission itself. */
async function detailsOf({ endpoint, jobId }: WatchedJob) {
  if (endpoint === null) return null;
  const { token, url } = endpoint;
  return new FlinkRestClient({ url, token, timeoutMs: 2000 }).job(jobId).catch(() => null);
}
