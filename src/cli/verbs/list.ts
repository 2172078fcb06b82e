/** `fctl list`: all clusters. */
import { formatDuration } from '../../contract/units.ts';
import { removeExpired } from '../../deployment/destroy.ts';
import { type ClusterStatus, clusterStatus } from '../../deployment/status.ts';
import type { Context } from '../context.ts';
import { colorState, table, time } from '../output/style.ts';

export const run = (context: Context): Promise<void> => listClusters(context, null);

/** @param mode only clusters of this mode; `null`: all. */
export async function listClusters(context: Context, mode: string | null): Promise<void> {
  const provider = await context.provider();
  await removeExpired(provider, Date.now());
  const ids = await provider.list();
  const all = await Promise.all(ids.map((id) => clusterStatus(provider, id)));
  const found = all
    .filter((status) => status !== null)
    .filter((status) => mode === null || status.cluster?.mode === mode);
  context.report.result({ clusters: found.map(summary) }, () =>
    found.length === 0
      ? `No ${mode === null ? 'clusters' : `${mode} clusters`} on provider ${provider.name}.`
      : describe(found),
  );
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

function describe(found: readonly ClusterStatus[]): string {
  const rows = found.map((status) => {
    const started = startTime(status);
    const ended = status.outcome?.endTime ?? Date.now();
    return [
      status.clusterId,
      colorState(status.state),
      status.cluster?.mode ?? '?',
      String(runningTaskManagers(status)),
      started === null ? '' : time(started),
      started === null ? '' : formatDuration(ended - started),
      status.release?.release ?? '',
    ];
  });
  return table(
    ['CLUSTER', 'STATE', 'MODE', 'TASKMANAGERS', 'STARTED (UTC)', 'TIME', 'RELEASE'],
    rows,
  );
}
