/**
 * Makes the operators of a JobVertex for one subtask and wires them: each operator calls its outputs,
 * which are the operators behind it in the chain, then the host's outputs, one an edge.
 *
 * B1  A chain is a tree: only its head takes input from outside, every other operator has one parent.
 */
import type { Keying, Operation, Transformation } from '../../../api/transformations.ts';
import { createTaskCounters } from '../../../contract/metrics/task-metrics.ts';
import type { JobEdge, JobVertex, OperatorNode } from '../../../graph/job-graph.ts';
import { keySpaceOf, singleKey } from '../state/key-space.ts';
import type { KeySpace } from '../state/key-space.ts';
import { Chain } from './chain.ts';
import { type ChainOutput, ChainOutputs } from './chain-outputs.ts';
import { FailureLog } from './failures.ts';
import { FunctionLives, type OperatorFunctions } from './function-lives.ts';
import { FlatMapOperator } from './flat-map-operator.ts';
import { preparedOutput } from './prepared-output.ts';
import type { ChainHost, OperatorChain } from './operator-chain.ts';
import type { Operator, OperatorSetup } from './operator.ts';
import { ProcessingTimers } from '../timers/processing-timers.ts';
import { ReduceOperator } from './reduce-operator.ts';
import { Counters, OperatorContext } from './runtime-context.ts';
import { SinkOperator } from './sink-operator.ts';
import { SourceOperator } from './source-operator.ts';
import { StatelessRun } from './stateless-run.ts';
import { UserMetrics } from './user-metrics.ts';
import { WatermarksOperator } from './watermarks-operator.ts';
import { WindowOperator } from '../windows/window-operator.ts';

/**
 * The chain of `vertex` in one subtask.
 *
 * @param edges All edges of the JobGraph, in its order.
 * @param operators The user's transformations by `OperatorNode.id` (`CompiledJob.operators`).
 * @throws Error when vertex, edges, operators and the host's outputs do not fit together.
 */
export function createOperatorChain(
  vertex: JobVertex,
  edges: readonly JobEdge[],
  operators: ReadonlyMap<string, Transformation>,
  host: ChainHost,
): OperatorChain {
  const incoming = edges.filter((edge) => edge.targetVertex === vertex.id);
  const outgoing = edges.filter((edge) => edge.sourceVertex === vertex.id);
  checkShape(vertex, incoming, outgoing, host);

  const metrics = createTaskCounters();
  const userMetrics = new UserMetrics(host.clock, metrics);
  const shared = {
    host,
    counters: new Counters(),
    metrics,
    timers: new ProcessingTimers(host),
    failures: new FailureLog(),
  };
  const operationOf = (node: OperatorNode): Operation => {
    const operation = operators.get(node.id)?.operation;
    if (operation !== undefined) return operation;
    throw new Error(`no operation for operator '${node.name}' (${node.id})`);
  };
  const outputs = new ChainOutputs(vertex, operationOf);
  const made = new Map<string, Operator>();
  let inOrder: readonly Operator[] = [];
  const leaves = new Set<Operator>();
  const functions: OperatorFunctions[] = [];
  for (const node of vertex.operators.toReversed()) {
    const children = outputs.childrenOf(node).map((child) => made.get(child.id)!);
    const edgesOut = host.outputs.filter((_, index) => outgoing[index]!.sourceOperator === node.id);
    const output = outputs.of(node, children, edgesOut);
    const { target } = output;
    const context = new OperatorContext(
      host,
      shared.counters,
      userMetrics.group(node.id, node.name),
    );
    const setup = { ...shared, context, id: node.id, name: node.name };
    const operator = createOperator(setup, operationOf(node), output);
    const isJoined = operator instanceof StatelessRun && target instanceof StatelessRun;
    if (children.length === 0 || (isJoined && leaves.delete(target))) leaves.add(operator);
    inOrder = [operator, ...inOrder.filter((other) => !isJoined || other !== target)];
    made.set(node.id, operator);
    const { rich } = operators.get(node.id)!;
    functions.unshift({ operator: node.name, context, functions: rich });
  }

  const head = inOrder[0]!;
  return new Chain({
    ...shared,
    functions: new FunctionLives(functions, shared.failures),
    warn: host.warn,
    userMetrics,
    operators: inOrder,
    leaves: [...leaves],
    inputs: head.inputs(incoming.length),
    source: head instanceof SourceOperator ? head : null,
  });
}

/** An operator that also stands for those behind it where it continues their run (stateless-run.ts). */
function createOperator(
  wiring: Omit<OperatorSetup, 'output'>,
  operation: Operation,
  { prepare, target }: ChainOutput,
): Operator {
  const { context, name } = wiring;
  if (operation.kind === 'map' || operation.kind === 'filter') {
    const step = { ...operation, name, context, prepare };
    return target instanceof StatelessRun
      ? target.behind(wiring, step)
      : new StatelessRun({ ...wiring, output: target }, [step]);
  }
  const setup = { ...wiring, output: preparedOutput(prepare, target) };
  switch (operation.kind) {
    case 'source':
      return new SourceOperator(setup, operation.source, operation.watermarks);
    case 'flatMap':
      return new FlatMapOperator(setup, operation.fn);
    case 'watermarks':
      return new WatermarksOperator(setup, operation.strategy);
    case 'reduce':
      return new ReduceOperator(
        setup,
        operation.fn,
        operation.key.selector,
        keys(operation.key, setup),
      );
    case 'window':
      return new WindowOperator(
        setup,
        operation,
        operation.key === null ? singleKey : keys(operation.key, setup),
      );
    case 'sink':
      return new SinkOperator(setup, operation.sink);
  }
}

function keys(keying: Keying, { host }: OperatorSetup): KeySpace {
  return keySpaceOf(keying.type, host);
}

/** B1 */
function checkShape(
  vertex: JobVertex,
  incoming: readonly JobEdge[],
  outgoing: readonly JobEdge[],
  host: ChainHost,
): void {
  const [head, ...rest] = vertex.operators;
  if (head === undefined) throw new Error(`vertex '${vertex.name}' has no operators`);
  const misplaced =
    rest.find((node) => node.inputs.length !== 1) ??
    (head.inputs.length > 0 ? head : undefined) ??
    rest.find((node) => incoming.some((edge) => edge.targetOperator === node.id));
  if (misplaced !== undefined) {
    throw new Error(`vertex '${vertex.name}' is no tree: see the inputs of '${misplaced.name}'`);
  }
  if (host.outputs.length !== outgoing.length) {
    throw new Error(
      `vertex '${vertex.name}' has ${outgoing.length} outgoing edges, its host ${host.outputs.length} outputs`,
    );
  }
}
