/** What runs of a cluster, from what its hosts say. Pure. */
import { Role } from '../../contract/process-spec.ts';
import type { ObservedProcess } from '../provider.ts';
import type { HostView } from './agent/requests.ts';
import type { ClusterView } from './clusters.ts';
import type { Host } from './host.ts';
import { type Candidate, type Placement, jobManagerOf, recordUrl, whyLeave } from './placement.ts';

interface Seen {
  readonly host: Host;
  readonly process: HostView['processes'][number];
}

/**
 * One entry a process name. Of two that have the same name, after an interrupted move, the one that the
 * placement names counts; whoever acts on the name ends the other (provider.ts, C3).
 */
export function observedProcesses(
  view: ClusterView,
  candidates: readonly Candidate[],
): ObservedProcess[] {
  const { placement, silent, views } = view;
  const recordView = view.record ? views.get(view.record.host) : undefined;
  const ended = recordView?.ended ?? false;
  const found = new Map<string, Seen>();
  for (const [host, { processes }] of views) {
    for (const process of processes) {
      const { name } = process.observed;
      const placed = placement.processes[name]?.host.address;
      if (!found.has(name) || placed === host.address) found.set(name, { host, process });
    }
  }
  const moving = whyJobManagerMoves(placement, candidates);
  const seen = [...found.values()].map((each) =>
    observe(each, { candidates, ended, moving, placement }),
  );
  const unreachable = [...silent.keys()].map((host) => host.address);
  const unknown = Object.entries(placement.processes)
    .filter(([name, { host }]) => !found.has(name) && unreachable.includes(host.address))
    .map(([name, placed]): ObservedProcess => {
      const { host, index, release, role } = placed;
      return {
        name,
        role,
        index,
        release,
        status: 'lost',
        reason: null,
        location: `on ${host.address}, which does not answer`,
        host: host.address,
        misplaced: whyLeave(candidates, { address: host.address, role }),
        startedAt: null,
        restarts: 0,
        exitCode: null,
        spec: null,
      };
    });
  return [...seen, ...unknown].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Judgement {
  readonly candidates: readonly Candidate[];
  readonly ended: boolean;
  /** Why the JobManager moves; `null`: it stays. */
  readonly moving: string | null;
  readonly placement: Placement;
}

function observe(
  { host, process: { observed, place } }: Seen,
  { candidates, ended, moving, placement }: Judgement,
): ObservedProcess {
  const { location, role, status } = observed;
  const leave = whyLeave(candidates, { address: host.address, role });
  const expected = recordUrl(jobManagerOf(placement));
  const cutOff = role === Role.taskmanager && place !== null && expected !== null;
  const elsewhere = cutOff && place.recordUrl !== expected ? 'its JobManager has moved' : null;
  return {
    ...observed,
    // The record tells the end, and lies on one host only.
    status: status === 'lost' && ended ? 'exited' : status,
    location: `${location} on ${host.address}`,
    host: host.address,
    misplaced: leave ?? (role === Role.taskmanager ? (moving ?? elsewhere) : null),
  };
}

function whyJobManagerMoves(placement: Placement, candidates: readonly Candidate[]): string | null {
  const placed = jobManagerOf(placement);
  if (placed === undefined) return null;
  const why = whyLeave(candidates, { address: placed.host.address, role: Role.jobmanager });
  return why === null ? null : `its JobManager moves (${why})`;
}
