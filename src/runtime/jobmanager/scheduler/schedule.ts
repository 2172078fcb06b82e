/**
 * What goes where. Pure.
 *
 * Vertices of one slot sharing group share slots: subtask i of each of them runs in slot i of the group,
 * so a group takes as many slots as its widest vertex has subtasks.
 */
import { channelsOf } from '../../../graph/channels.ts';
import type { JobEdge, JobGraph, JobVertex } from '../../../graph/job-graph.ts';
import type {
  ChannelDeployment,
  EdgeDeployment,
  SlotLocation,
  TaskDeployment,
} from '../../rpc/protocol.ts';
import type { Execution } from './execution.ts';

/** One slot that a job needs, with the subtasks that go there. */
export interface PlannedSlot {
  readonly group: string;
  readonly index: number;
  readonly executions: readonly Execution[];
}

/** The slots that a job needs, group by group in the order of the vertices. */
export function planSlots(graph: JobGraph, executions: readonly Execution[]): PlannedSlot[] {
  const groups = new Map<string, JobVertex[]>();
  for (const vertex of graph.vertices) {
    const members = groups.get(vertex.slotSharingGroup);
    if (members) members.push(vertex);
    else groups.set(vertex.slotSharingGroup, [vertex]);
  }
  return [...groups].flatMap(([group, vertices]) => {
    const width = Math.max(...vertices.map((v) => v.parallelism));
    return Array.from({ length: width }, (_, index) => ({
      group,
      index,
      executions: executions.filter(
        (e) => e.subtaskIndex === index && e.vertex.slotSharingGroup === group,
      ),
    }));
  });
}

/** What the TaskManagers are told about each subtask, by attempt id. All executions must have a location. */
export function planDeployments(
  graph: JobGraph,
  executions: readonly Execution[],
): ReadonlyMap<string, TaskDeployment> {
  const locations = new Map(
    executions.map((e) => [`${e.vertex.id}#${e.subtaskIndex}`, e.location]),
  );
  const locate = (vertex: string, subtask: number): SlotLocation => {
    const location = locations.get(`${vertex}#${subtask}`);
    if (!location) throw new Error(`subtask ${subtask} of ${vertex} has no slot`);
    return location;
  };
  const wiring = graph.edges.map((edge) => wire(graph, edge, locate));
  const plan = (execution: Execution): TaskDeployment => {
    const { attempt, attemptId, subtaskIndex, vertex } = execution;
    const inputs: EdgeDeployment[] = [];
    const outputs: EdgeDeployment[] = [];
    for (const { edge, incoming, outgoing } of wiring) {
      if (edge.targetVertex === vertex.id) {
        inputs.push({ edgeId: edge.id, channels: incoming.get(subtaskIndex) ?? [] });
      }
      if (edge.sourceVertex === vertex.id) {
        outputs.push({ edgeId: edge.id, channels: outgoing.get(subtaskIndex) ?? [] });
      }
    }
    return { attemptId, vertexId: vertex.id, subtaskIndex, attempt, inputs, outputs };
  };
  return new Map(executions.map((execution) => [execution.attemptId, plan(execution)]));
}

interface Wiring {
  readonly edge: JobEdge;
  /** By target subtask, ascending by source subtask. */
  readonly incoming: ReadonlyMap<number, readonly ChannelDeployment[]>;
  /** By source subtask, ascending by target subtask. */
  readonly outgoing: ReadonlyMap<number, readonly ChannelDeployment[]>;
}

function wire(
  graph: JobGraph,
  edge: JobEdge,
  locate: (vertex: string, subtask: number) => SlotLocation,
): Wiring {
  const incoming = new Map<number, ChannelDeployment[]>();
  const outgoing = new Map<number, ChannelDeployment[]>();
  const add = (map: Map<number, ChannelDeployment[]>, key: number, channel: ChannelDeployment) => {
    const channels = map.get(key);
    if (channels) channels.push(channel);
    else map.set(key, [channel]);
  };
  for (const { sourceSubtask, targetSubtask } of channelsOf(graph, edge)) {
    const channel = { sourceSubtask, targetSubtask };
    add(incoming, targetSubtask, { ...channel, peer: locate(edge.sourceVertex, sourceSubtask) });
    add(outgoing, sourceSubtask, { ...channel, peer: locate(edge.targetVertex, targetSubtask) });
  }
  return { edge, incoming, outgoing };
}
