import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelsOf } from '../../src/graph/channels.ts';
import type { JobGraph, Partitioner } from '../../src/graph/job-graph.ts';
import { graphOf, numbers, out } from './jobs.ts';

/** A graph of one edge between so many subtasks. */
function oneEdge(partitioner: Partitioner, sources: number, targets: number): JobGraph {
  const graph = graphOf((env) => void env.fromSource(numbers()).rebalance().sinkTo(out()), 1);
  return {
    ...graph,
    vertices: graph.vertices.map((v, i) => ({ ...v, parallelism: i === 0 ? sources : targets })),
    edges: graph.edges.map((e) => ({ ...e, partitioner })),
  };
}

function pairs(partitioner: Partitioner, sources: number, targets: number): string[] {
  const graph = oneEdge(partitioner, sources, targets);
  return channelsOf(graph, graph.edges[0]!).map((c) => `${c.sourceSubtask}-${c.targetSubtask}`);
}

/** As Flink's VertexInputInfoComputationUtils has it, by target: the range of sources that it reads. */
function flinkPointwise(sources: number, targets: number): Set<string> {
  const found = new Set<string>();
  const int = Math.trunc;
  if (sources >= targets) {
    for (let target = 0; target < targets; target++) {
      for (
        let s = int((target * sources) / targets);
        s < int(((target + 1) * sources) / targets);
        s++
      )
        found.add(`${s}-${target}`);
    }
  } else {
    for (let source = 0; source < sources; source++) {
      const start = int((source * targets + sources - 1) / sources);
      const end = int(((source + 1) * targets + sources - 1) / sources);
      for (let t = start; t < end; t++) found.add(`${source}-${t}`);
    }
  }
  return found;
}

describe('channels', () => {
  test('of a forward edge connect equal indexes', () => {
    expect(pairs('FORWARD', 3, 3)).toEqual(['0-0', '1-1', '2-2']);
    expect(() => pairs('FORWARD', 2, 3)).toThrow(/forwards from 2 to 3 subtasks/);
  });

  test.each(['HASH', 'REBALANCE', 'SHUFFLE', 'BROADCAST', 'GLOBAL'] as const)(
    'of a %s edge connect all with all',
    (partitioner) => {
      expect(pairs(partitioner, 2, 3)).toEqual(['0-0', '0-1', '0-2', '1-0', '1-1', '1-2']);
    },
  );

  test("of a rescale edge follow Flink's pointwise pattern", () => {
    expect(pairs('RESCALE', 3, 2)).toEqual(['0-0', '1-1', '2-1']);
    expect(pairs('RESCALE', 2, 4)).toEqual(['0-0', '0-1', '1-2', '1-3']);
    const scale = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(scale, scale, (sources, targets) => {
        const found = pairs('RESCALE', sources, targets);
        expect(new Set(found)).toEqual(flinkPointwise(sources, targets));
        expect(new Set(found).size).toBe(found.length);
      }),
    );
  });

  test('an edge of another graph is refused', () => {
    const graph = oneEdge('HASH', 1, 1);
    expect(() => channelsOf(graph, { ...graph.edges[0]!, sourceVertex: 'f'.repeat(32) })).toThrow(
      /no vertex f+ in graph 'job'/,
    );
  });
});
