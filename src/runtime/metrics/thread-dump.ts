/**
 * What the threads of a process are about, in the form of Java's thread dumps. JavaScript cannot look into
 * a thread that runs: of the main thread it is said what it waits for, of a slot which tasks it runs.
 */
import type { ThreadInfo } from '../rpc/protocol.ts';

/** @param lines what it is about, instead of a stack. */
export function threadInfo(name: string, id: number, lines: readonly string[]): ThreadInfo {
  const head = `"${name}" Id=${id} RUNNABLE`;
  return { name, text: `${[head, ...lines.map((line) => `\t-  ${line}`)].join('\n')}\n\n` };
}

/** The thread that this runs in, with what keeps it alive. */
export function mainThread(): ThreadInfo {
  const counts = Map.groupBy(process.getActiveResourcesInfo(), (resource) => resource);
  const lines = [...counts].map(([resource, all]) => `waits for ${all.length} × ${resource}`);
  return threadInfo('main', 0, lines);
}
