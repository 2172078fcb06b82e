/** Shows the jobs of a submission while they run. */
import { FlinkRestClient } from '../../flink-rest/client.ts';
import type { ReachableEndpoint } from '../../providers/provider.ts';
import { describeJobs } from '../output/jobs.ts';
import type { Progress } from '../output/progress.ts';

const intervalMs = 400;

/** @returns how to stop it. */
export function watchJobs(
  { token, url }: ReachableEndpoint,
  jobIds: () => readonly string[],
  progress: Progress,
): () => void {
  const client = new FlinkRestClient({ url, token, timeoutMs: 2000 });
  let stopped = false;
  const look = async () => {
    const ids = jobIds();
    if (ids.length === 0) return;
    const jobs = await Promise.all(ids.map((id) => client.job(id)));
    if (!stopped) progress.view(() => describeJobs(jobs));
  };
  // A JobManager that does not answer is told by the submission itself.
  const timer = setInterval(() => void look().catch(() => {}), intervalMs);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
