/** Subtasks in the shapes of Flink's REST API. Pure. */
import type { SubtaskDetails } from '../../../contract/rest.ts';
import type { SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';
import { ioMetrics, passingStates } from './statistics.ts';
import { taskManagerRestId } from './task-manager.ts';

const UNASSIGNED = '(unassigned)';

/** Where it runs, in Flink's word for nowhere yet. */
export const endpointOf = ({ endpoint }: SubtaskView): string => endpoint ?? UNASSIGNED;

/** Id of its TaskManager, in Flink's word for none yet. */
export const taskManagerOf = ({ taskManager }: SubtaskView): string =>
  taskManager === null ? UNASSIGNED : taskManagerRestId(taskManager);

/** @param now epoch milliseconds. */
export function subtaskDetails(subtask: SubtaskView, now: number): SubtaskDetails {
  return {
    subtask: subtask.index,
    status: subtask.state,
    attempt: subtask.attempt,
    endpoint: endpointOf(subtask),
    'start-time': subtask.startTime,
    'end-time': subtask.endTime,
    duration: subtask.duration,
    metrics: ioMetrics(subtask.metrics, subtask.metricsComplete),
    'taskmanager-id': taskManagerOf(subtask),
    'status-duration': statusDurations(subtask, now),
    start_time: subtask.startTime,
  };
}

/** How long the subtask was in each of them; -1: never. */
function statusDurations(
  { timestamps, endTime }: SubtaskView,
  now: number,
): Record<string, number> {
  const entered = passingStates.filter((state) => timestamps[state] > 0);
  return Object.fromEntries(
    passingStates.map((state) => {
      if (timestamps[state] <= 0) return [state, -1];
      const next = entered[entered.indexOf(state) + 1];
      const until = next ? timestamps[next] : endTime > 0 ? endTime : now;
      return [state, Math.max(0, until - timestamps[state])];
    }),
  );
}

/** When each subtask entered its states; 0: never. */
export function subtaskTimes({ id, name, subtasks }: VertexView, now: number) {
  return {
    id,
    name,
    now,
    subtasks: subtasks.map((subtask) => ({
      subtask: subtask.index,
      endpoint: endpointOf(subtask),
      duration: subtask.duration,
      timestamps: { ...subtask.timestamps, RECONCILING: 0 },
    })),
  };
}
