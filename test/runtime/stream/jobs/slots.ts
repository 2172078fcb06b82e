/**
 * A whole job in the slots of this thread: real tasks, channels of all three transports, one mailbox a slot. What
 * a JobManager does is here by hand: where tasks lie, what they are told, who hands out splits.
 */
import { MessageChannel } from 'node:worker_threads';
import { systemClock } from '../../../../src/contract/clock.ts';
import type { NetworkConfig } from '../../../../src/contract/runtime-config.ts';
import { createRangeEnumerator } from '../../../../src/connectors/generator/enumerator.ts';
import { channelsOf } from '../../../../src/graph/channels.ts';
import type { CompiledJob } from '../../../../src/graph/compile.ts';
import type { JobGraph, JobVertex } from '../../../../src/graph/job-graph.ts';
import { Exchange } from '../../../../src/runtime/stream/network/exchange.ts';
import type {
  EdgeDeployment,
  SlotLocation,
  TaskDeployment,
} from '../../../../src/runtime/stream/task/deployment.ts';
import { Mailbox } from '../../../../src/runtime/stream/task/mailbox.ts';
import { Task, type TaskEnd } from '../../../../src/runtime/stream/task/task.ts';
import { TaskMeter } from '../../../../src/runtime/stream/task/task-meter.ts';
import { wireTask } from '../../../../src/runtime/stream/task/wire-task.ts';

/** Where the subtasks of a job lie. */
export type Placement = (vertex: number, subtask: number) => { slot: number; process: number };

/** By name, for messages. */
export const placements: Readonly<Record<string, Placement>> = {
  'all in one slot': () => ({ slot: 0, process: 0 }),
  'slots of one process': (_vertex, subtask) => ({ slot: subtask, process: 0 }),
  'a process a slot': (_vertex, subtask) => ({ slot: subtask, process: subtask }),
  'every task apart': (vertex, subtask) => ({
    slot: vertex * 16 + subtask,
    process: (vertex + subtask) % 2,
  }),
};

const identity = { token: null, clusterId: 'c', jobId: 'j', jobAttempt: 0 };

class Slots {
  private readonly network: NetworkConfig;
  private readonly exchanges = new Map<string, Promise<[Exchange, SlotLocation, Mailbox]>>();

  constructor(network: NetworkConfig) {
    this.network = network;
  }

  /** The slot, made when it is asked for first. */
  at({ slot, process }: { slot: number; process: number }) {
    const allocationId = `slot-${slot}`;
    const existing = this.exchanges.get(allocationId);
    if (existing !== undefined) return existing;
    const made = this.open(allocationId, `taskmanager-${process}/x`);
    this.exchanges.set(allocationId, made);
    return made;
  }

  async close(): Promise<void> {
    for (const made of this.exchanges.values()) await (await made)[0].close();
  }

  private async open(
    allocationId: string,
    taskManager: string,
  ): Promise<[Exchange, SlotLocation, Mailbox]> {
    const exchange = new Exchange({
      clock: systemClock,
      identity: { ...identity, allocationId },
      taskManager,
      name: allocationId,
      bind: '127.0.0.1',
      network: this.network,
      connectSlot: (peer) => {
        const { port1, port2 } = new MessageChannel();
        void this.exchanges.get(peer)!.then(([other]) => other.addPort(port2, allocationId));
        return port1;
      },
      warn: () => {},
    });
    const dataPort = await exchange.listening();
    const location = { allocationId, taskManager, host: '127.0.0.1', dataPort };
    return [exchange, location, new Mailbox(systemClock)];
  }
}

function edgesOf(
  graph: JobGraph,
  vertex: JobVertex,
  subtask: number,
  locate: (vertexId: string, subtask: number) => SlotLocation,
): { inputs: EdgeDeployment[]; outputs: EdgeDeployment[] } {
  const inputs = graph.edges
    .filter((edge) => edge.targetVertex === vertex.id)
    .map((edge) => ({
      edgeId: edge.id,
      channels: channelsOf(graph, edge)
        .filter((c) => c.targetSubtask === subtask)
        .map((c) => ({ ...c, peer: locate(edge.sourceVertex, c.sourceSubtask) })),
    }));
  const outputs = graph.edges
    .filter((edge) => edge.sourceVertex === vertex.id)
    .map((edge) => ({
      edgeId: edge.id,
      channels: channelsOf(graph, edge)
        .filter((c) => c.sourceSubtask === subtask)
        .map((c) => ({ ...c, peer: locate(edge.targetVertex, c.targetSubtask) })),
    }));
  return { inputs, outputs };
}

/** Runs a bounded job, whose sources are generators, to its end. Rejects with what failed a task. */
export async function runInSlots(
  { graph, operators }: CompiledJob,
  placement: Placement,
  network: NetworkConfig,
): Promise<void> {
  const slots = new Slots(network);
  const located = new Map<string, [Exchange, SlotLocation, Mailbox]>();
  for (const [index, vertex] of graph.vertices.entries()) {
    for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
      located.set(`${vertex.id}#${subtask}`, await slots.at(placement(index, subtask)));
    }
  }
  const locate = (vertexId: string, subtask: number) => located.get(`${vertexId}#${subtask}`)![1];
  const ends = graph.vertices.flatMap((vertex) => {
    const spec = vertex.operators[0]!.enumerator;
    const enumerator = spec === null ? null : createRangeEnumerator(spec.options);
    return Array.from({ length: vertex.parallelism }, (_, subtaskIndex) => {
      const [exchange, , mailbox] = located.get(`${vertex.id}#${subtaskIndex}`)!;
      const ended = Promise.withResolvers<TaskEnd>();
      const task: Task = new Task({
        clock: systemClock,
        mailbox,
        meter: new TaskMeter(systemClock),
        requestSplit: () => enumerator!.next({ subtaskIndex, parallelism: vertex.parallelism }),
        describe: (error) => ({ message: String(error), stack: null, task: null, location: null }),
        changed: () => {},
        ended: ended.resolve,
      });
      const deployment: TaskDeployment = {
        attemptId: `${vertex.id}#${subtaskIndex}`,
        vertexId: vertex.id,
        subtaskIndex,
        attempt: 0,
        ...edgesOf(graph, vertex, subtaskIndex, locate),
      };
      const host = {
        jobId: 'j',
        epoch: 1,
        taskName: vertex.name,
        subtaskIndex,
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
        attempt: 0,
        workingDirectory: '/nowhere',
        cachedFiles: {},
        clock: systemClock,
        wakeAfter: (ms: number) => task.wakeAfter(ms),
        stdout: { write: () => {}, ready: () => null, flushed: async () => {} },
        warn: () => {},
        shouldYield: () => task.shouldYield(),
      };
      const wiring = { graph, operators, exchange, creditBytes: network.channelCreditBytes };
      void task.start(() => wireTask(task, deployment, vertex, host, wiring));
      return ended.promise;
    });
  });
  for (const end of await Promise.all(ends)) {
    if (end.state === 'FAILED') throw new Error(end.error.message);
  }
  await slots.close();
}
