/** The JobManagers of a cluster: one or several, of which any may lead. Pure. */
import { Role } from '../../contract/process-spec.ts';
import type { ObservedCluster, ObservedProcess } from '../provider.ts';

/** All that are there, in the order of their names. */
export function jobManagersOf(observed: ObservedCluster | null): readonly ObservedProcess[] {
  return (observed?.processes ?? []).filter(({ role }) => role === Role.jobmanager);
}

/** In the order in which processes are asked to end: a JobManager dismisses its TaskManagers. */
export function jobManagersFirst<T>(all: readonly T[], roleOf: (each: T) => string): T[] {
  const rank = (each: T) => (roleOf(each) === Role.jobmanager ? 0 : 1);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

/** What is left of the word of all: one that lives counts most, one that ended on purpose least. */
const byLife = ['running', 'restarting', 'pending', 'lost', 'exited'] as const;

/** The one that says most of the cluster; `null`: there is none. */
export function liveliestJobManager(observed: ObservedCluster | null): ObservedProcess | null {
  const all = jobManagersOf(observed);
  const rank = ({ status }: ObservedProcess) => byLife.indexOf(status);
  return all.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}
