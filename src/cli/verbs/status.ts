/** `fctl status`: what is true about one cluster. */
import { noSuchCluster } from '../../deployment/cancel.ts';
import type { ClusterStatus } from '../../deployment/status.ts';
import { hasEnded, watchStatus } from '../../deployment/watch.ts';
import { attemptsOf, followSnapshot } from '../../deployment/follow.ts';
import { describeExit } from '../../providers/shared/describe-exit.ts';
import type { Site } from '../../deployment/site.ts';
import type { status as declaration } from '../commands/status.ts';
import type { Context } from '../context.ts';
import { exitCodeOfState } from '../output/ending.ts';
import { describeJobs, describeOutcome } from '../output/jobs.ts';
import { colorState, out } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cluster, watch }: Given<typeof declaration>,
): Promise<number | void> {
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const { report, signal } = context;
  const { form } = report.options;
  let shown = '';
  for await (const status of watchStatus(site, clusterId, signal)) {
    if (status === null) throw noSuchCluster(clusterId);
    const text =
      form === 'name'
        ? status.processes.map(({ name }) => name).join('\n')
        : await describe(site, status, form === 'wide');
    if (!watch) return report.result(statusData(status), () => text);
    if (text !== shown) report.line(statusData(status), () => text);
    shown = text;
    if (await hasEnded(site, status)) return exitCodeOfState(status.state);
  }
}

/** What scripts see: without the specs of processes, which name files and folders. */
function statusData(status: ClusterStatus) {
  const processes = status.processes.map(({ spec: _spec, ...process }) => process);
  return { ...status, processes };
}

async function describe(site: Site, status: ClusterStatus, isWide: boolean): Promise<string> {
  const { cluster, release, explanation } = status;
  const facts = [
    `${out.bold(status.clusterId)} ${colorState(status.state)}`,
    ...(explanation === null ? [] : [explanation]),
    ...(cluster === null
      ? []
      : [`${cluster.mode} mode on ${cluster.provider}, engine ${cluster.engine}`]),
    ...(release === null
      ? []
      : [`release ${release.release} (${release.status}) by ${release.by}`]),
    ...(status.rest === null ? [] : [`REST ${status.rest}`]),
  ].join('\n');
  const titles = ['PROCESS', 'STATE', 'RESTARTS', 'LAST EXIT', 'WHERE'];
  const processes = table(
    isWide ? [...titles, 'HOST', 'STARTED', 'RELEASE'] : titles,
    status.processes.map((p) => [
      p.name,
      colorState(p.status),
      String(p.restarts),
      describeExit(p) ?? '',
      p.location,
      ...(isWide ? [p.host ?? '', p.startedAt === null ? '' : when(p.startedAt), p.release] : []),
    ]),
    isWide ? { width: null } : {},
  );
  const parts = [facts, ...(status.processes.length === 0 ? [] : [processes])];
  if (status.info !== null) {
    const jobs = await followSnapshot(site, status.clusterId);
    if (jobs !== null && jobs.length > 0) {
      const attempts = await attemptsOf(site, status.clusterId, jobs);
      parts.push(describeJobs(jobs, attempts));
    }
  }
  if (status.outcome !== null) parts.push(describeOutcome(status.outcome));
  return parts.join('\n\n');
}
