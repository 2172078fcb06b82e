/** The outputs of the operators of one chain: what is behind each of them, prepared as its records must be. */
import { type Codec, compileCodec } from '../../../api/codec.ts';
import type { Operation } from '../../../api/transformations.ts';
import type { JobVertex, OperatorNode } from '../../../graph/job-graph.ts';
import type { ElementConsumer } from './element-consumer.ts';
import { fanOut } from './fan-out.ts';
import {
  type Prepare,
  holdsWhatItEmits,
  makesValues,
  onlyLooks,
  preparedOutput,
} from './prepared-output.ts';

/** Where the records of an operator go. */
export interface ChainOutput {
  /** What they are prepared by first; `null`: nothing has to be done. */
  readonly prepare: Prepare | null;
  readonly target: ElementConsumer;
}

export class ChainOutputs {
  private readonly vertex: JobVertex;
  private readonly operationOf: (node: OperatorNode) => Operation;

  constructor(vertex: JobVertex, operationOf: (node: OperatorNode) => Operation) {
    this.vertex = vertex;
    this.operationOf = operationOf;
  }

  childrenOf(node: OperatorNode): readonly OperatorNode[] {
    return this.vertex.operators.filter((other) => other.inputs.includes(node.id));
  }

  /**
   * What `node` emits into. Edges come first: they have encoded or copied a record before anybody may change it.
   *
   * @param children the operators behind it in the chain, in the order of `childrenOf`.
   */
  of(
    node: OperatorNode,
    children: readonly ElementConsumer[],
    edges: readonly ElementConsumer[],
  ): ChainOutput {
    if (children.length === 0) return { prepare: null, target: fanOut(edges) };
    const operation = this.operationOf(node);
    const codec = compileCodec<unknown>(node.outputType);
    const nodes = this.childrenOf(node);
    const owning = nodes.flatMap((child, index) => (this.onlyLook(child) ? [] : [index]));
    const last = owning.at(-1);
    const looking = children.filter((_, index) => !owning.includes(index));
    const copied = owning.slice(0, -1).map((index) => preparedOutput(codec.copy, children[index]!)); // R2
    const target = fanOut([
      ...edges,
      ...looking,
      ...copied,
      ...(last === undefined ? [] : [children[last]!]),
    ]);
    const isHeld =
      last !== undefined &&
      (holdsWhatItEmits(operation) || this.operationOf(nodes[last]!).kind === 'sink');
    if (isHeld) return { prepare: codec.copy, target };
    const isChecked = node.outputType !== null && makesValues(operation); // R1
    return { prepare: isChecked ? checking(codec) : null, target };
  }

  /** R3 */
  private onlyLook(node: OperatorNode): boolean {
    if (!onlyLooks(this.operationOf(node))) return false;
    return this.childrenOf(node).every((child) => this.onlyLook(child));
  }
}

function checking(codec: Codec<unknown>): Prepare {
  return (value) => {
    codec.check(value);
    return value;
  };
}
