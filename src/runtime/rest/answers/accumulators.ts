/** Accumulators in the shapes of Flink's REST API. Pure. */
import type { JsonValue } from '../../../contract/json.ts';
import type { JobAccumulators } from '../../../contract/rest.ts';
import type { JobView, SubtaskView, VertexView } from '../../jobmanager/views/cluster-view.ts';
import { endpointOf } from './subtask.ts';
import { textOf } from './text.ts';

type UserAccumulator = JobAccumulators['user-task-accumulators'][number];

const list = (accumulators: Readonly<Record<string, JsonValue>>): UserAccumulator[] =>
  Object.entries(accumulators).map(([name, value]) => ({
    name,
    type: accumulatorType(value),
    value: textOf(value),
  }));

/** Flink names the class. */
function accumulatorType(value: JsonValue): string {
  if (typeof value !== 'number') return 'SimpleAccumulator';
  return Number.isInteger(value) ? 'LongCounter' : 'DoubleCounter';
}

/** Summed over all subtasks. */
export function jobAccumulators({ accumulators }: JobView): JobAccumulators {
  return {
    'job-accumulators': [],
    'user-task-accumulators': list(accumulators),
    'serialized-user-task-accumulators': {},
  };
}

/** Summed over the subtasks of a vertex. */
export function vertexAccumulators({ accumulators, id }: VertexView) {
  return { id, 'user-accumulators': list(accumulators) };
}

/** Of each subtask of a vertex. */
export function subtasksAccumulators({ id, parallelism, subtasks }: VertexView) {
  return {
    id,
    parallelism,
    subtasks: subtasks.map((subtask) => ({
      subtask: subtask.index,
      attempt: subtask.attempt,
      endpoint: endpointOf(subtask),
      'user-accumulators': list(subtask.accumulators),
    })),
  };
}

/** Of one attempt of a subtask. */
export function attemptAccumulators({ accumulators, attempt, attemptId, index }: SubtaskView) {
  return { subtask: index, attempt, id: attemptId, 'user-accumulators': list(accumulators) };
}
