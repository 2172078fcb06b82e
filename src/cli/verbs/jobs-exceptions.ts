/** `fctl jobs exceptions`: what a job threw, newest first. */
import type { JobException } from '../../contract/rest.ts';
import { type Job, chooseJob, readJobs } from '../../deployment/jobs.ts';
import { type Site, findLeader } from '../../deployment/site.ts';
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { jobsExceptions as declaration } from '../commands/jobs-exceptions.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import { when } from '../output/times.ts';
import type { Given } from '../verb.ts';

interface Thrown {
  readonly at: number | null;
  readonly message: string;
  readonly stack: string | null;
  readonly task: string | null;
  readonly location: string | null;
}

export async function run(
  context: Context,
  { cluster, job: wanted }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const job = chooseJob(await readJobs(site, clusterId), clusterId, wanted);
  const exceptions = await exceptionsOf(site, clusterId, job);
  const { id, name, state } = job;
  context.report.result({ clusterId, job: { id, name, state }, exceptions }, () =>
    exceptions.length === 0 ? `${name} has thrown nothing.` : exceptions.map(describe).join('\n\n'),
  );
}

async function exceptionsOf(
  site: Site,
  clusterId: ClusterId,
  { endTime, id, live, recorded }: Job,
): Promise<readonly Thrown[]> {
  const leader = live === null ? null : await findLeader(site, clusterId);
  if (leader !== null) return (await leader.api.exceptions(id)).map(thrownOf);
  const error = recorded?.outcome?.error ?? null;
  if (error === null) return [];
  const { location, message, stack, task } = error;
  return [{ at: endTime, message, stack, task, location }];
}

function thrownOf({ endpoint, exceptionName, stacktrace, taskName, timestamp }: JobException) {
  const [first] = stacktrace.split('\n');
  return {
    at: timestamp,
    message: first === undefined || first === '' ? exceptionName : first,
    stack: stacktrace,
    task: taskName ?? null,
    location: endpoint ?? null,
  };
}

function describe({ at, location, message, stack, task }: Thrown): string {
  const where = [task, location].filter((part) => part !== null).join(' on ');
  return [
    ...(at === null ? [] : [out.bold(when(at))]),
    ...(where === '' ? [] : [`in ${where}`]),
    stack ?? message,
  ].join('\n');
}
