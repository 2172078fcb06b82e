import { describe, expect, it } from 'vitest';
import type { JobGraph } from '../../../../src/graph/job-graph.ts';
import { Execution } from '../../../../src/runtime/jobmanager/scheduler/execution.ts';
import {
  planDeployments,
  planSlots,
} from '../../../../src/runtime/jobmanager/scheduler/schedule.ts';
import { edge, graph, vertex } from '../graphs.ts';

function executionsOf({ vertices }: JobGraph): Execution[] {
  return vertices.flatMap((v) =>
    Array.from(
      { length: v.parallelism },
      (_, subtaskIndex) =>
        new Execution({
          vertex: v,
          subtaskIndex,
          attempt: 0,
          attemptId: `${v.name}${subtaskIndex}`,
          now: () => 0,
        }),
    ),
  );
}

const names = (slots: ReturnType<typeof planSlots>) =>
  slots.map((slot) => slot.executions.map((e) => e.attemptId).join(' '));

describe('slots', () => {
  it('are shared: subtask i of every vertex in slot i', () => {
    const job = graph('j', [vertex('a', 3), vertex('b', 2), vertex('c', 1)]);
    expect(names(planSlots(job, executionsOf(job)))).toEqual(['a0 b0 c0', 'a1 b1', 'a2']);
  });

  it('are shared within a group only', () => {
    const job = graph('j', [
      vertex('a', 2),
      vertex('b', 1, { slotSharingGroup: 'heavy' }),
      vertex('c', 2),
    ]);
    expect(names(planSlots(job, executionsOf(job)))).toEqual(['a0 c0', 'a1 c1', 'b0']);
  });
});

describe('deployments', () => {
  const plan = (job: JobGraph) => {
    const executions = executionsOf(job);
    executions.forEach((e, i) => {
      const dataPort = 1000 + i;
      e.location = { allocationId: `s${i}`, taskManager: `t${i}`, host: 'h', dataPort };
    });
    const deployments = planDeployments(job, executions);
    return (id: string) => deployments.get(id)!;
  };

  it('connect every subtask with every other over a hash edge', () => {
    const [a, b] = [vertex('a', 2), vertex('b', 2)];
    const task = plan(graph('j', [a, b], [edge(a, b, 'HASH')]));
    expect(task('a1').inputs).toEqual([]);
    expect(task('a1').outputs[0]!.channels).toMatchObject([
      { sourceSubtask: 1, targetSubtask: 0, peer: { dataPort: 1002 } },
      { sourceSubtask: 1, targetSubtask: 1, peer: { dataPort: 1003 } },
    ]);
    expect(task('b0').inputs[0]!.channels).toMatchObject([
      { sourceSubtask: 0, targetSubtask: 0, peer: { dataPort: 1000 } },
      { sourceSubtask: 1, targetSubtask: 0, peer: { dataPort: 1001 } },
    ]);
    expect(task('b0').outputs).toEqual([]);
  });

  it('name each channel on both of its ends', () => {
    const [a, b, c] = [vertex('a', 4), vertex('b', 2), vertex('c', 3)];
    const job = graph(
      'j',
      [a, b, c],
      [edge(a, b, 'RESCALE'), edge(b, c, 'BROADCAST'), edge(a, c, 'REBALANCE')],
    );
    const task = plan(job);
    const ends = (side: 'inputs' | 'outputs') =>
      executionsOf(job)
        .flatMap((e) => task(e.attemptId)[side])
        .flatMap(({ edgeId, channels }) =>
          channels.map((ch) => `${edgeId} ${ch.sourceSubtask} ${ch.targetSubtask}`),
        )
        .toSorted();
    expect(ends('inputs')).toEqual(ends('outputs'));
    expect(ends('inputs')).toHaveLength(4 + 6 + 12);
  });

  it('list the edges in the order of the graph', () => {
    const [a, b, c] = [vertex('a', 1), vertex('b', 1), vertex('c', 1)];
    const edges = [edge(b, c, 'FORWARD'), { ...edge(a, c, 'HASH'), input: 1 }];
    const task = plan(graph('j', [a, b, c], edges));
    expect(task('c0').inputs.map((i) => i.edgeId)).toEqual(edges.map((e) => e.id));
  });
});
