/** Vertices and subtasks of a job. */
import {
  attemptAccumulators,
  subtasksAccumulators,
  vertexAccumulators,
} from '../answers/accumulators.ts';
import { subtaskDetails, subtaskTimes } from '../answers/subtask.ts';
import { backPressure, vertexDetails, vertexTaskManagers } from '../answers/vertex.ts';
import { wholeNumber } from '../checks.ts';
import { badParameter } from '../http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';
import { requireAttempt, requireSubtask, requireVertex } from './find.ts';

/** Flink's code for flame graphs that are switched off. */
const FLAME_GRAPH_DISABLED = { endTimestamp: -2 };
const flameGraphTypes: ReadonlySet<string> = new Set(['FULL', 'ON_CPU', 'OFF_CPU']);

function flameGraph(request: RestRequest): RestAnswer {
  const type = request.query.get('type');
  if (type !== null && !flameGraphTypes.has(type.toUpperCase())) {
    throw badParameter('query', 'type', type);
  }
  wholeNumber(request, 'subtaskindex', 0);
  requireVertex(request);
  return ok(FLAME_GRAPH_DISABLED);
}

const path = '/jobs/:jobid/vertices/:vertexid';

export const vertexRoutes: readonly Route[] = [
  get(path, (request) => {
    const { job, vertex } = requireVertex(request);
    return ok(vertexDetails(vertex, job.now));
  }),
  get(`${path}/accumulators`, (request) => ok(vertexAccumulators(requireVertex(request).vertex))),
  get(`${path}/backpressure`, (request) => {
    const { job, vertex } = requireVertex(request);
    return ok(backPressure(job, vertex));
  }),
  get(`${path}/flamegraph`, flameGraph),
  get(`${path}/subtasktimes`, (request) => {
    const { job, vertex } = requireVertex(request);
    return ok(subtaskTimes(vertex, job.now));
  }),
  get(`${path}/taskmanagers`, (request) => {
    const { job, vertex } = requireVertex(request);
    return ok(vertexTaskManagers(vertex, job.now));
  }),
  get(`${path}/subtasks/accumulators`, (request) =>
    ok(subtasksAccumulators(requireVertex(request).vertex)),
  ),
  get(`${path}/subtasks/:subtaskindex`, (request) => {
    const { job, subtask } = requireSubtask(request);
    return ok(subtaskDetails(subtask, job.now));
  }),
  get(`${path}/subtasks/:subtaskindex/attempts/:attempt`, (request) => {
    const { job, subtask } = requireAttempt(request);
    return ok(subtaskDetails(subtask, job.now));
  }),
  get(`${path}/subtasks/:subtaskindex/attempts/:attempt/accumulators`, (request) =>
    ok(attemptAccumulators(requireAttempt(request).subtask)),
  ),
];
