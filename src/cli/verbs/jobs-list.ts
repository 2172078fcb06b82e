/** `fctl jobs list`: the jobs of a cluster. */
import { formatDuration } from '../../contract/units.ts';
import { readJobs } from '../../deployment/jobs.ts';
import type { jobsList as declaration } from '../commands/jobs-list.ts';
import type { Context } from '../context.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';
import type { Given } from '../verb.ts';

export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const clusterId = await context.clusterId(given.cluster);
  const found = await readJobs(await context.site(), clusterId);
  const jobs = found.map(({ live, recorded, ...job }) => ({
    ...job,
    vertices: live?.vertices.length ?? recorded?.vertices.length ?? null,
    attempts: recorded?.attempts.length ?? null,
    error: recorded?.outcome?.error?.message ?? null,
  }));
  const rows = (isWide: boolean) =>
    jobs.map((job) => [
      job.id,
      job.name,
      colorState(job.state),
      when(job.startTime),
      formatDuration((job.endTime ?? Date.now()) - job.startTime),
      ...(isWide ? [String(job.vertices ?? ''), String(job.attempts ?? ''), job.error ?? ''] : []),
    ]);
  const titles = ['ID', 'NAME', 'STATE', 'STARTED', 'TIME'];
  context.report.listing(
    { clusterId, jobs },
    {
      names: () => jobs.map(({ id }) => id),
      table: (isWide) => {
        if (jobs.length === 0) return `${clusterId} has no jobs.`;
        return isWide
          ? table([...titles, 'VERTICES', 'ATTEMPTS', 'ERROR'], rows(true), { width: null })
          : table(titles, rows(false));
      },
    },
  );
}
