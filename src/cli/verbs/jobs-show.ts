/** `fctl jobs show`: one job, vertex by vertex. */
import { chooseJob, readJobs } from '../../deployment/jobs.ts';
import { attemptsOf } from '../../deployment/follow.ts';
import type { jobsShow as declaration } from '../commands/jobs-show.ts';
import type { Context } from '../context.ts';
import { describeJob, describeJobs } from '../output/jobs.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cluster, job: wanted }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const job = chooseJob(await readJobs(site, clusterId), clusterId, wanted);
  const { live, recorded } = job;
  const attempts = live === null ? null : await attemptsOf(site, clusterId, [live]);
  context.report.result({ clusterId, job }, () => {
    if (recorded?.outcome) return describeJob(recorded.outcome);
    return live === null ? `${job.name} is ${job.state}.` : describeJobs([live], attempts);
  });
}
