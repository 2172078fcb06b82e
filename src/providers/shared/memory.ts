/** Whether a cluster fits into the memory of where it runs. */
import { type Problem, problem } from '../../contract/errors.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import { formatBytes } from '../../contract/units.ts';

/** What all processes together may use. */
export const wantedMemory = ({ processes }: Pick<ClusterSpec, 'processes'>): number =>
  processes.reduce((sum, { count, resources }) => sum + count * resources.memoryBytes, 0);

/** @param owner of the memory: `this machine`, `the engine`. */
export function shortOfMemory(
  owner: string,
  wantedBytes: number,
  thereBytes: number,
): Problem | null {
  if (wantedBytes <= thereBytes) return null;
  return problem({
    code: 'not-enough-memory',
    message: `the cluster may use ${formatBytes(wantedBytes)} of memory, ${owner} has ${formatBytes(thereBytes)}`,
    path: '/taskmanager/resources/memory',
    hint: 'lower resources.memory or replicas',
  });
}
