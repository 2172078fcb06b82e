/** Small JobGraphs. */
import { createHash } from 'node:crypto';
import {
  JOB_GRAPH_VERSION,
  type JobEdge,
  type JobGraph,
  type JobVertex,
  type Partitioner,
} from '../../../src/graph/job-graph.ts';
import type { OperatorNode } from '../../../src/graph/job-graph.ts';

const bundleHash = 'b'.repeat(64);

const idOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 32);

export const operatorId = (name: string) => idOf(`operator ${name}`);

export function operator(name: string, fields: Partial<OperatorNode> = {}): OperatorNode {
  return {
    id: operatorId(name),
    uid: null,
    name,
    kind: 'map',
    inputs: [],
    outputType: null,
    stateful: false,
    enumerator: null,
    committer: null,
    ...fields,
  };
}

export function vertex(
  name: string,
  parallelism: number,
  fields: Partial<JobVertex> = {},
): JobVertex {
  return {
    id: operatorId(name),
    name,
    parallelism,
    maxParallelism: 128,
    slotSharingGroup: 'default',
    operators: [operator(name)],
    ...fields,
  };
}

export function edge(source: JobVertex, target: JobVertex, partitioner: Partitioner): JobEdge {
  const [from, to] = [source.operators.at(-1)!.id, target.operators[0]!.id];
  return {
    id: `${from}->${to}#0`,
    sourceVertex: source.id,
    sourceOperator: from,
    targetVertex: target.id,
    targetOperator: to,
    input: 0,
    partitioner,
    type: null,
    keyType: partitioner === 'HASH' ? { kind: 'string' } : null,
  };
}

export function graph(
  name: string,
  vertices: readonly JobVertex[],
  edges: readonly JobEdge[] = [],
): JobGraph {
  return {
    version: JOB_GRAPH_VERSION,
    name,
    boundedness: 'bounded',
    code: { bundleHash, job: name, args: {}, parallelism: 1 },
    vertices,
    edges,
    hash: 'c'.repeat(64),
  };
}

/** `source (p) ─hash▶ sink (p)`: the source reads 4 ranges, the sink collects as `result`. */
export function pipeline(name: string, parallelism: number): JobGraph {
  const source = vertex('source', parallelism, {
    operators: [
      operator('source', { kind: 'source', enumerator: { kind: 'ranges', options: { count: 4 } } }),
    ],
  });
  const sink = vertex('sink', parallelism, {
    operators: [
      operator('sink', {
        kind: 'sink',
        committer: { kind: 'collect', options: { name: 'result' } },
      }),
    ],
  });
  return graph(name, [source, sink], [edge(source, sink, 'HASH')]);
}
