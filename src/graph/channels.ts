/** Which subtasks an edge connects. */
import { type JobEdge, type JobGraph, Partitioner } from './job-graph.ts';

export interface Channel {
  readonly sourceSubtask: number;
  readonly targetSubtask: number;
}

/** All channels of an edge, ascending by source, then by target. */
export function channelsOf(graph: JobGraph, edge: JobEdge): Channel[] {
  const sources = parallelismOf(graph, edge.sourceVertex);
  const targets = parallelismOf(graph, edge.targetVertex);
  return Array.from({ length: sources }, (_, sourceSubtask) => {
    const [first, end] = targetsOf(edge, sourceSubtask, sources, targets);
    return Array.from({ length: end - first }, (__, i) => ({
      sourceSubtask,
      targetSubtask: first + i,
    }));
  }).flat();
}

function parallelismOf(graph: JobGraph, vertexId: string): number {
  const vertex = graph.vertices.find(({ id }) => id === vertexId);
  if (vertex === undefined) throw new Error(`no vertex ${vertexId} in graph '${graph.name}'`);
  return vertex.parallelism;
}

/** The targets of one source subtask: a range, its end exclusive. */
function targetsOf(
  edge: JobEdge,
  source: number,
  sources: number,
  targets: number,
): [number, number] {
  switch (edge.partitioner) {
    case Partitioner.forward:
      if (sources !== targets)
        throw new Error(`edge ${edge.id} forwards from ${sources} to ${targets} subtasks`);
      return [source, source + 1];
    case Partitioner.rescale:
      return rescaled(source, sources, targets);
    default:
      return [0, targets];
  }
}

/**
 * Flink's pointwise pattern (`VertexInputInfoComputationUtils`): with fewer sources each feeds a range of
 * targets, else target i reads the sources from ⌊i·s/t⌋ up to ⌊(i+1)·s/t⌋.
 */
function rescaled(source: number, sources: number, targets: number): [number, number] {
  if (sources < targets) {
    return [Math.ceil((source * targets) / sources), Math.ceil(((source + 1) * targets) / sources)];
  }
  const target = Math.ceil(((source + 1) * targets) / sources) - 1;
  return [target, target + 1];
}
