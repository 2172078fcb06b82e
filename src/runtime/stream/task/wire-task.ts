/** Makes the chain of a task and connects it with its channels. */
import type { Transformation } from '../../../api/transformations.ts';
import { compileKeyGroup, subtaskOf } from '../../../api/keys.ts';
import {
  type JobEdge,
  type JobGraph,
  type JobVertex,
  Partitioner,
} from '../../../graph/job-graph.ts';
import type { ChannelWriter } from '../network/channel-writer.ts';
import { type Exchange, codecsOf } from '../network/exchange.ts';
import { InputChannel } from '../network/input-channel.ts';
import {
  anyChannel,
  broadcastOutput,
  byKey,
  roundRobin,
  selectingOutput,
} from '../network/partitioners.ts';
import { createOperatorChain } from '../operators/create-operator-chain.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { mergedInputs } from '../operators/merged-inputs.ts';
import type { ChainHost } from '../operators/operator-chain.ts';
import type { EdgeDeployment, TaskDeployment } from './deployment.ts';
import type { Task, TaskParts } from './task.ts';

export interface Wiring {
  readonly graph: JobGraph;
  /** User functions by operator id. */
  readonly operators: ReadonlyMap<string, Transformation>;
  readonly exchange: Exchange;
  readonly creditBytes: number;
}

/**
 * @param host everything but the outputs.
 * @throws Error when deployment, graph and user code do not fit together.
 */
export function wireTask(
  task: Task,
  deployment: TaskDeployment,
  vertex: JobVertex,
  host: Omit<ChainHost, 'outputs'>,
  wiring: Wiring,
): TaskParts {
  const { graph, operators } = wiring;
  const writers: ChannelWriter[] = [];
  const outputs = deployment.outputs.map((output) => {
    const edge = edgeOf(graph, output.edgeId);
    const codec = codecsOf(edge);
    const channels = output.channels.map((channel) =>
      wiring.exchange.openOutput(edge, channel, task, codec()),
    );
    writers.push(...channels);
    return createOutput(edge, output, channels, task, wiring);
  });
  const chain = createOperatorChain(vertex, graph.edges, operators, { ...host, outputs });
  if (deployment.inputs.length !== chain.inputs.length) {
    throw new Error(
      `'${vertex.name}' has ${chain.inputs.length} inputs, ${deployment.inputs.length} were deployed`,
    );
  }
  let inputs = 0;
  for (const [index, input] of deployment.inputs.entries()) {
    openInputs(task, input, chain.inputs[index]!, wiring);
    inputs += input.channels.length;
  }
  return { chain, writers, inputs };
}

function openInputs(
  task: Task,
  input: EdgeDeployment,
  consumer: ElementConsumer,
  wiring: Wiring,
): void {
  const edge = edgeOf(wiring.graph, input.edgeId);
  const codec = codecsOf(edge);
  const consumers = mergedInputs(input.channels.length, consumer);
  for (const [index, channel] of input.channels.entries()) {
    const options = { owner: task, codec: codec(), consumer: consumers[index]! };
    const { creditBytes, exchange } = wiring;
    exchange.openInput(
      edge,
      channel,
      new InputChannel({ ...options, creditBytes, counters: task.counters }),
    );
  }
}

function createOutput(
  edge: JobEdge,
  { channels }: EdgeDeployment,
  writers: readonly ChannelWriter[],
  task: Task,
  wiring: Wiring,
): ElementConsumer {
  const { counters } = task;
  const first = channels[0];
  if (first === undefined) throw new Error(`edge ${edge.id} has no channels here`);
  const select = (selector: (value: unknown) => number) =>
    selectingOutput(writers, counters, selector);
  switch (edge.partitioner) {
    case Partitioner.broadcast:
      return broadcastOutput(writers, counters);
    case Partitioner.hash:
      return select(
        keyed(
          edge,
          channels.map((c) => c.targetSubtask),
          wiring,
        ),
      );
    case Partitioner.shuffle:
      return select(anyChannel(writers.length, Math.random));
    case Partitioner.rebalance:
    case Partitioner.rescale:
      // Each producer begins elsewhere, so that few records spread as well.
      return select(roundRobin(writers.length, first.sourceSubtask));
    case Partitioner.forward:
    case Partitioner.global:
      return select(() => 0);
  }
}

function keyed(
  edge: JobEdge,
  targets: readonly number[],
  { graph, operators }: Wiring,
): (value: unknown) => number {
  const key = operators.get(edge.targetOperator)?.inputs[edge.input]?.key;
  const target = graph.vertices.find((vertex) => vertex.id === edge.targetVertex);
  if (!key || target === undefined) throw new Error(`edge ${edge.id} has no key`);
  const { maxParallelism, parallelism } = target;
  if (targets.length !== parallelism || targets.some((subtask, index) => subtask !== index)) {
    throw new Error(`edge ${edge.id} does not lead to all subtasks of '${target.name}'`);
  }
  const keyGroup = compileKeyGroup(key.type, maxParallelism);
  return byKey(key.selector, (value) => subtaskOf(keyGroup(value), parallelism, maxParallelism));
}

function edgeOf(graph: JobGraph, edgeId: string): JobEdge {
  const edge = graph.edges.find(({ id }) => id === edgeId);
  if (edge === undefined) throw new Error(`the job has no edge ${edgeId}`);
  return edge;
}
