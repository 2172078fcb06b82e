/** How processes ended, for people. */
import { constants } from 'node:os';
import { type Problem, problem } from '../../contract/errors.ts';
import { formatBytes } from '../../contract/units.ts';
import type { ObservedCluster, ObservedProcess } from '../provider.ts';

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** @returns `exit code 3`, or `SIGKILL` for 137; `null` when there is nothing to tell. */
export function describeExit({
  exitCode,
  outOfMemory = false,
}: Pick<ObservedProcess, 'exitCode' | 'outOfMemory'>): string | null {
  const how = exitCode === null ? [] : [signals.get(exitCode - 128) ?? `exit code ${exitCode}`];
  const told = [...how, ...(outOfMemory ? ['out of memory'] : [])];
  return told.length === 0 ? null : told.join(', ');
}

/** For each process that needed more memory than it may have, which key of the config to raise. */
export function memoryProblems(observed: ObservedCluster | null): Problem[] {
  const hungry = (observed?.processes ?? []).filter(({ outOfMemory }) => outOfMemory);
  return hungry.map(({ name, role, spec }) => {
    const limit = spec === null ? 'memory' : formatBytes(spec.resources.memoryBytes);
    return problem({
      code: 'out-of-memory',
      message: `${name} ran out of memory: it needed more than the ${limit} that it may have`,
      path: `/${role}/resources/memory`,
      hint: `raise ${role}.resources.memory`,
    });
  });
}
