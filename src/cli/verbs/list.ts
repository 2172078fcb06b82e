/** `fctl list`: all clusters. */
import { FctlError, type Problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { formatDuration } from '../../contract/units.ts';
import { type ClusterStatus, listedStatus } from '../../deployment/status.ts';
import type { Site } from '../../deployment/site.ts';
import type { list as declaration } from '../commands/list.ts';
import type { Context } from '../context.ts';
import { refuseBeside } from '../options.ts';
import type { Given } from '../verb.ts';
import { allPlaces } from './all-places.ts';
import { colorState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { when } from '../output/times.ts';

export async function run(
  context: Context,
  { all, context: named, env, provider }: Given<typeof declaration>,
): Promise<number> {
  if (!all) return listClusters(context, null);
  const given = { '--context': named !== null, '--env': env !== null };
  refuseBeside('beside --all', { ...given, '--provider': provider !== null });
  return listAll(context);
}

/**
 * @param mode only clusters of this mode, and those of which it is not known; `null`: all.
 * @returns the exit code: 4 where a place did not answer, for there may be more.
 */
export async function listClusters(context: Context, mode: string | null): Promise<number> {
  const { report } = context;
  const site = await context.site();
  const { provider } = site;
  const { silent, statuses } = await statusesAt(site);
  const found = statuses.filter(
    ({ cluster }) => mode === null || cluster === null || cluster.mode === mode,
  );
  const none = `No ${mode === null ? 'clusters' : `${mode} clusters`} on provider ${provider.name}.`;
  const names = () => found.map(({ clusterId }) => clusterId);
  const table = (isWide: boolean) => (found.length === 0 ? none : describe(found, isWide));
  report.listing({ clusters: found.map(summary) }, { names, table }, silent);
  return silent.length === 0 ? ExitCode.done : ExitCode.providerNotUsable;
}

async function statusesAt(site: Site) {
  const { clusters, silent } = await site.provider.list(site);
  const all = await Promise.all(clusters.map((id) => listedStatus(site, id)));
  return { statuses: all.filter((status) => status !== null), silent };
}

/** Clusters of all places. One that cannot be asked is told as a problem, and hides no other. */
async function listAll(context: Context): Promise<number> {
  const silent: Problem[] = [];
  const places = await Promise.all(
    (await allPlaces(context)).map(async ({ names, where }) => {
      try {
        const at = await statusesAt(context.siteOf(await where.provider()));
        silent.push(...at.silent);
        return at.statuses.map((status) => ({ names, status }));
      } catch (error) {
        if (!(error instanceof FctlError)) throw error;
        const place = names.join(', ');
        silent.push(...error.problems.map((p) => ({ ...p, message: `${place}: ${p.message}` })));
        return [];
      }
    }),
  );
  const found = places.flat();
  const clusters = found.map(({ names, status }) => ({ places: names, ...summary(status) }));
  context.report.listing(
    { clusters },
    {
      names: () => clusters.map(({ clusterId }) => clusterId),
      table: (isWide) =>
        found.length === 0
          ? 'No clusters anywhere.'
          : describe(
              found.map(({ status }) => status),
              isWide,
              found.map(({ names }) => names.join(', ')),
            ),
    },
    silent,
  );
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

function describe(
  found: readonly ClusterStatus[],
  isWide: boolean,
  places: readonly string[] | null = null,
): string {
  const rows = found.map((status, at) => {
    const started = startTime(status);
    const ended = status.outcome?.endTime ?? Date.now();
    return [
      ...(places === null ? [] : [places[at]!]),
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
  const place = places === null ? [] : ['WHERE'];
  const titles = [
    ...place,
    'CLUSTER',
    'STATE',
    'MODE',
    'TASKMANAGERS',
    'STARTED',
    'TIME',
    'RELEASE',
  ];
  const more = ['PROVIDER', 'ENGINE', 'BY', 'REST', 'EXPLANATION'];
  return isWide ? table([...titles, ...more], rows, { width: null }) : table(titles, rows);
}
