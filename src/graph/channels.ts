/** Which subtasks an edge connects. */
import { type JobEdge, type JobGraph, Partitioner } from './job-graph.ts';

export interface Channel {
  readonly sourceSubtask: number;
  readonly targetSubtask: number;
}

/** All channels of an edge, ascending by source, then by target. */
export function channelsOf(graph: JobGraph, edge: JobEdge): Channel[] {
  const parallelism = (id: string) => graph.vertices.find((v) => v.id === id)!.parallelism;
  const sources = parallelism(edge.sourceVertex);
  const targets = parallelism(edge.targetVertex);
  const all = Array.from({ length: sources }, (_, sourceSubtask) =>
    Array.from({ length: targets }, (__, targetSubtask) => ({ sourceSubtask, targetSubtask })),
  ).flat();
  if (edge.partitioner === Partitioner.forward) return all.filter((c) => c.sourceSubtask === c.targetSubtask);
  if (edge.partitioner === Partitioner.rescale) return all.filter((c) => isRescaled(c, sources, targets));
  return all;
}

/** Each subtask talks to the fewest peers that keep the load even (Flink's pointwise pattern). */
function isRescaled({ sourceSubtask, targetSubtask }: Channel, sources: number, targets: number): boolean {
  return sources <= targets
    ? Math.floor((targetSubtask * sources) / targets) === sourceSubtask
    : Math.floor((sourceSubtask * targets) / sources) === targetSubtask;
}
