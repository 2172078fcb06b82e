/** Metrics of everything, one by one and aggregated. */
import {
  type Aggregation,
  aggregatedMetrics,
  isAggregation,
} from '../answers/aggregated-metrics.ts';
import {
  jobMetrics,
  metricAnswer,
  subtaskMetrics,
  vertexMetrics,
  vertexWatermarks,
} from '../answers/metrics.ts';
import type { Metrics } from '../answers/flink-metrics.ts';
import { jobManagerMetrics, taskManagerMetrics } from '../answers/process-metrics.ts';
import { taskManagerRestId } from '../answers/task-manager.ts';
import { namesOf, pathNumber } from '../checks.ts';
import { badParameter } from '../http-error.ts';
import { get, ok, type RestAnswer, type RestRequest, type Route } from '../router.ts';
import {
  findJob,
  findNamedTaskManager,
  type FoundVertex,
  findVertex,
  requireVertex,
} from './find.ts';

/** Flink knows no metrics of what it does not know: an empty list, no 404. */
const metrics = (request: RestRequest, values: Metrics | null): RestAnswer =>
  ok(metricAnswer(values ?? {}, request.query.get('get')));

function aggregated(request: RestRequest, all: readonly Metrics[]): RestAnswer {
  return ok(aggregatedMetrics(all, namesOf(request, 'get'), aggregationsOf(request)));
}

/** `null`: all. @throws HttpError 400. */
function aggregationsOf(request: RestRequest): ReadonlySet<Aggregation> | null {
  const names = namesOf(request, 'agg');
  if (names === null) return null;
  const asked = names.map((name) => name.toLowerCase());
  for (const [index, name] of asked.entries()) {
    if (!isAggregation(name)) throw badParameter('query', 'agg', names[index]!);
  }
  return new Set(asked.filter(isAggregation));
}

function ofJobs(request: RestRequest): RestAnswer {
  const ids = namesOf(request, 'jobs');
  const wrong = ids?.find((id) => !/^[0-9a-f]{32}$/i.test(id));
  if (wrong !== undefined) throw badParameter('query', 'jobs', wrong);
  const asked = ids && new Set(ids.map((id) => id.toLowerCase()));
  const jobs = request.view.jobs().filter(({ id }) => asked?.has(id) ?? true);
  return aggregated(request, jobs.map(jobMetrics));
}

function ofTaskManagers(request: RestRequest): RestAnswer {
  const names = namesOf(request, 'taskmanagers');
  const asked = request.view
    .taskManagers()
    .filter(({ id }) => names?.includes(taskManagerRestId(id)) ?? true);
  return aggregated(request, asked.map(taskManagerMetrics));
}

/** Flink's ranges: `0,2-4`. @throws HttpError 400. */
function subtaskRanges(request: RestRequest): readonly (readonly [number, number])[] | null {
  const texts = namesOf(request, 'subtasks');
  return (
    texts?.map((text) => {
      const range = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
      if (range === null) throw badParameter('query', 'subtasks', text);
      const from = Number(range[1]);
      return [from, range[2] === undefined ? from : Number(range[2])] as const;
    }) ?? null
  );
}

/** As it is in the JobGraph. */
const graphVertex = ({ job, vertex }: FoundVertex) =>
  job.graph.vertices.find(({ id }) => id === vertex.id);

function ofSubtasks(request: RestRequest): RestAnswer {
  const ranges = subtaskRanges(request);
  const found = findVertex(request);
  if (found === null) return aggregated(request, []);
  const graph = graphVertex(found);
  const asked = found.vertex.subtasks.filter(
    ({ index }) => ranges?.some(([from, to]) => from <= index && index <= to) ?? true,
  );
  return aggregated(
    request,
    asked.map((subtask) => subtaskMetrics(subtask, graph)),
  );
}

function ofSubtask(request: RestRequest): RestAnswer {
  const index = pathNumber(request, 'subtaskindex');
  const found = findVertex(request);
  const subtask = found?.vertex.subtasks.find((candidate) => candidate.index === index);
  return metrics(request, found && subtask ? subtaskMetrics(subtask, graphVertex(found)) : null);
}

function ofVertex(request: RestRequest): RestAnswer {
  const found = findVertex(request);
  return metrics(request, found && vertexMetrics(found.vertex, graphVertex(found)));
}

function watermarks(request: RestRequest): RestAnswer {
  const found = requireVertex(request);
  return ok(vertexWatermarks(found.vertex, graphVertex(found)));
}

/** Sources' enumerators measure nothing yet. */
function ofCoordinators(request: RestRequest): RestAnswer {
  findVertex(request);
  return metrics(request, null);
}

const vertexPath = '/jobs/:jobid/vertices/:vertexid';

export const metricRoutes: readonly Route[] = [
  get('/jobmanager/metrics', (request) => metrics(request, jobManagerMetrics(request.view))),
  get('/taskmanagers/metrics', ofTaskManagers),
  get('/taskmanagers/:taskmanagerid/metrics', (request) => {
    const found = findNamedTaskManager(request);
    return metrics(request, found && taskManagerMetrics(found));
  }),
  get('/jobs/metrics', ofJobs),
  get('/jobs/:jobid/metrics', (request) => {
    const found = findJob(request);
    return metrics(request, found && jobMetrics(found));
  }),
  get(`${vertexPath}/metrics`, ofVertex),
  get(`${vertexPath}/jm-operator-metrics`, ofCoordinators),
  get(`${vertexPath}/subtasks/metrics`, ofSubtasks),
  get(`${vertexPath}/subtasks/:subtaskindex/metrics`, ofSubtask),
  get(`${vertexPath}/watermarks`, watermarks),
];
