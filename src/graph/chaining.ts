/**
 * Operators → vertices and edges, by Flink's rules.
 *
 * H1  Records are forwarded where nothing else is said and parallelisms agree, else rebalanced.
 * H2  An operator joins the chain of its input when it has one input, which is forwarded to it. Everything
 *     that is forwarded from one operator joins its chain: a chain is a tree.
 * H3  A chain lies in one slot sharing group; so far there is only one.
 */
import type { JobDefinition } from '../api/job.ts';
import type { Transformation } from '../api/transformations.ts';
import { isStateful } from './stateful.ts';
import { jobError } from './job-error.ts';
import { type JobEdge, type JobVertex, type OperatorNode, Partitioner } from './job-graph.ts';
import type { PlannedOperator } from './plan.ts';

/** H3 */
const slotSharingGroup = 'default';

interface Wire {
  readonly source: PlannedOperator;
  readonly target: PlannedOperator;
  readonly input: number;
  readonly partitioner: Partitioner;
  readonly chained: boolean;
}

/** @throws ConfigError when records are to be forwarded to another number of subtasks. */
export function buildChains(
  job: JobDefinition,
  operators: readonly PlannedOperator[],
): { vertices: JobVertex[]; edges: JobEdge[] } {
  const planned = new Map(operators.map((o) => [o.transformation, o]));
  const wires = operators.flatMap((target) => wiresOf(job, target, planned));
  const headOf = new Map<PlannedOperator, PlannedOperator>();
  for (const operator of operators) {
    const wire = wires.find((w) => w.target === operator && w.chained);
    headOf.set(operator, wire ? headOf.get(wire.source)! : operator);
  }
  const heads = operators.filter((o) => headOf.get(o) === o);
  const vertices = heads.map((head) =>
    vertexOf(
      operators.filter((o) => headOf.get(o) === head),
      wires,
    ),
  );
  const order = new Map(heads.map((head, index) => [head.id, index]));
  const edges = wires
    .filter((wire) => !wire.chained)
    .map((wire) => edgeOf(wire, headOf.get(wire.source)!, headOf.get(wire.target)!))
    .sort((a, b) => order.get(a.targetVertex)! - order.get(b.targetVertex)! || a.input - b.input);
  return { vertices, edges };
}

function wiresOf(
  job: JobDefinition,
  target: PlannedOperator,
  planned: ReadonlyMap<Transformation, PlannedOperator>,
): Wire[] {
  const { inputs } = target.transformation;
  return inputs.map(({ from, partitioner: wanted }, input) => {
    const source = planned.get(from)!;
    const isSame = source.parallelism === target.parallelism;
    if (wanted === 'forward' && !isSame) {
      throw jobError(
        job,
        'forward-impossible',
        `'${from.name}' (parallelism ${source.parallelism}) cannot forward to '${target.transformation.name}' ` +
          `(parallelism ${target.parallelism}): give both the same parallelism, or use rescale() or rebalance()`,
      );
    }
    const unsaid = isSame ? Partitioner.forward : Partitioner.rebalance; // H1
    const partitioner = wanted === 'auto' ? unsaid : partitioners[wanted];
    const chained = partitioner === Partitioner.forward && inputs.length === 1; // H2
    return { source, target, input, partitioner, chained };
  });
}

const partitioners = {
  forward: Partitioner.forward,
  hash: Partitioner.hash,
  rebalance: Partitioner.rebalance,
  rescale: Partitioner.rescale,
  shuffle: Partitioner.shuffle,
  broadcast: Partitioner.broadcast,
  global: Partitioner.global,
} as const;

function vertexOf(chain: readonly PlannedOperator[], wires: readonly Wire[]): JobVertex {
  const [head] = chain;
  return {
    id: head!.id,
    name: chainName(head!, wires),
    parallelism: head!.parallelism,
    maxParallelism: head!.maxParallelism,
    slotSharingGroup,
    operators: chain.map((operator) => operatorNode(operator, wires)),
  };
}

/** As Flink writes it: `Source: a -> Map -> (Sink: b, Filter -> Sink: c)`. */
function chainName(operator: PlannedOperator, wires: readonly Wire[]): string {
  const { name } = operator.transformation;
  const next = wires
    .filter((w) => w.source === operator && w.chained)
    .map((w) => chainName(w.target, wires));
  if (next.length === 0) return name;
  return `${name} -> ${next.length === 1 ? next[0] : `(${next.join(', ')})`}`;
}

function operatorNode(
  { id, transformation }: PlannedOperator,
  wires: readonly Wire[],
): OperatorNode {
  const { uid, name, operation, outputType } = transformation;
  return {
    id,
    uid,
    name,
    kind: operation.kind,
    inputs: wires.filter((w) => w.target.id === id && w.chained).map((w) => w.source.id),
    outputType,
    stateful: isStateful(operation),
    enumerator: operation.kind === 'source' ? operation.source.enumerator : null,
    committer: operation.kind === 'sink' ? operation.sink.committer : null,
  };
}

function edgeOf(
  { source, target, input, partitioner }: Wire,
  from: PlannedOperator,
  to: PlannedOperator,
): JobEdge {
  return {
    id: `${source.id}->${target.id}#${input}`,
    sourceVertex: from.id,
    sourceOperator: source.id,
    targetVertex: to.id,
    targetOperator: target.id,
    input,
    partitioner,
    type: source.transformation.outputType,
    keyType: target.transformation.inputs[input]!.key?.type ?? null,
  };
}
