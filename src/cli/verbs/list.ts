/** `fctl list`: all clusters. */
import { ExitCode } from '../../contract/exit-codes.ts';
import { formatDuration } from '../../contract/units.ts';
import { type ClusterStatus, listedStatus } from '../../deployment/status.ts';
import type { Context } from '../context.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';

export const run = (context: Context): Promise<number> => listClusters(context, null);

/**
 * @param mode only clusters of this mode, and those of which it is not known; `null`: all.
 * @returns the exit code: 4 where a place did not answer, for there may be more.
 */
export async function listClusters(context: Context, mode: string | null): Promise<number> {
  const { report } = context;
  const site = await context.site();
  const { provider } = site;
  const { clusters, silent } = await provider.list(site);
  const all = await Promise.all(clusters.map((id) => listedStatus(site, id)));
  const found = all
    .filter((status) => status !== null)
    .filter(({ cluster }) => mode === null || cluster === null || cluster.mode === mode);
  const none = `No ${mode === null ? 'clusters' : `${mode} clusters`} on provider ${provider.name}.`;
  const names = () => found.map(({ clusterId }) => clusterId);
  const table = (isWide: boolean) => (found.length === 0 ? none : describe(found, isWide));
  report.listing({ clusters: found.map(summary) }, { names, table }, silent);
  return silent.length === 0 ? ExitCode.done : ExitCode.providerNotUsable;
}

function summary(status: ClusterStatus) {
  const { clusterId, state, explanation, cluster, release } = status;
  return {
    clusterId,
    state,
    explanation,
    provider: cluster?.provider ?? null,
    mode: cluster?.mode ?? null,
    release: release?.release ?? null,
    taskManagers: runningTaskManagers(status),
    startTime: startTime(status),
    endTime: status.outcome?.endTime ?? null,
  };
}

const runningTaskManagers = (status: ClusterStatus) =>
  status.processes.filter((p) => p.role === 'taskmanager' && p.status === 'running').length;

const startTime = (status: ClusterStatus) =>
  status.info?.startTime ?? status.outcome?.startTime ?? status.release?.createdAt ?? null;

function describe(found: readonly ClusterStatus[], isWide: boolean): string {
  const rows = found.map((status) => {
    const started = startTime(status);
    const ended = status.outcome?.endTime ?? Date.now();
    return [
      status.clusterId,
      colorState(status.state),
      status.cluster?.mode ?? '?',
      String(runningTaskManagers(status)),
      started === null ? '' : when(started),
      started === null ? '' : formatDuration(ended - started),
      status.release?.release ?? '',
      ...(isWide
        ? [
            status.cluster?.provider ?? '',
            status.cluster?.engine ?? '',
            status.release?.by ?? '',
            status.rest ?? '',
            status.explanation ?? '',
          ]
        : []),
    ];
  });
  const titles = ['CLUSTER', 'STATE', 'MODE', 'TASKMANAGERS', 'STARTED', 'TIME', 'RELEASE'];
  const more = ['PROVIDER', 'ENGINE', 'BY', 'REST', 'EXPLANATION'];
  return isWide ? table([...titles, ...more], rows, { width: null }) : table(titles, rows);
}
