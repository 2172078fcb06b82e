/** What a path names: a job, a vertex, a subtask, a TaskManager. All throw HttpError 404, or 400. */
import type {
  JobView,
  SubtaskView,
  TaskManagerView,
  VertexView,
} from '../../jobmanager/views/cluster-view.ts';
import { findTaskManager } from '../answers/task-manager.ts';
import { hexId, pathNumber } from '../checks.ts';
import { HttpError } from '../http-error.ts';
import type { RestRequest } from '../router.ts';

/** `null` when there is none of that id. */
export function findJob(request: RestRequest): JobView | null {
  return request.view.job(hexId(request, 'jobid'));
}

export function requireJob(request: RestRequest): JobView {
  const found = findJob(request);
  if (found === null) throw new HttpError(404, `Job ${hexId(request, 'jobid')} not found`);
  return found;
}

export interface FoundVertex {
  readonly job: JobView;
  readonly vertex: VertexView;
}

/** `null` when there is no such job or vertex. */
export function findVertex(request: RestRequest): FoundVertex | null {
  const id = hexId(request, 'vertexid');
  const job = findJob(request);
  const vertex = job?.vertices.find((candidate) => candidate.id === id);
  return job && vertex ? { job, vertex } : null;
}

export function requireVertex(request: RestRequest): FoundVertex {
  const job = requireJob(request);
  const id = hexId(request, 'vertexid');
  const vertex = job.vertices.find((candidate) => candidate.id === id);
  if (vertex === undefined) throw new HttpError(404, `JobVertex ${id} not found`);
  return { job, vertex };
}

/** The current or last attempt of a subtask. */
export function requireSubtask(
  request: RestRequest,
): FoundVertex & { readonly subtask: SubtaskView } {
  const index = pathNumber(request, 'subtaskindex');
  const { job, vertex } = requireVertex(request);
  const subtask = vertex.subtasks.find((candidate) => candidate.index === index);
  if (subtask === undefined) {
    throw new HttpError(404, `Invalid subtask index for vertex ${vertex.id}`);
  }
  return { job, vertex, subtask };
}

/** A subtask as it was in one attempt. */
export function requireAttempt(request: RestRequest): ReturnType<typeof requireSubtask> {
  const attempt = pathNumber(request, 'attempt');
  const found = requireSubtask(request);
  if (found.subtask.attempt === attempt) return found;
  throw new HttpError(404, `Invalid attempt num ${attempt}`);
}

/** `null` when there is none of that id or name. */
export function findNamedTaskManager({ params, view }: RestRequest): TaskManagerView | null {
  return findTaskManager(view.taskManagers(), params['taskmanagerid']!);
}

/** Flink answers 500 to an unknown one. */
export function requireTaskManager(request: RestRequest): TaskManagerView {
  const found = findNamedTaskManager(request);
  if (found !== null) return found;
  throw new HttpError(404, `Could not find TaskExecutor ${request.params['taskmanagerid']}`);
}
