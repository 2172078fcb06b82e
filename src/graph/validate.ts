/** Checks a JobGraph that came from outside, before anything is made of it. */
import type { JsonValue } from '../contract/json.ts';
import { JOB_GRAPH_VERSION, type JobGraph, Partitioner } from './job-graph.ts';

type Loose = { readonly [key: string]: JsonValue | undefined };

const isObject = (value: unknown): value is Loose =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 32_768;

/** @returns what is wrong with it; empty when it is a JobGraph. */
export function findGraphProblems(value: unknown): string[] {
  if (!isObject(value)) return ['a job graph is a JSON object'];
  const problems: string[] = [];
  const check = (ok: boolean, message: string) => {
    if (!ok) problems.push(message);
  };
  check(value['version'] === JOB_GRAPH_VERSION, `version must be ${JOB_GRAPH_VERSION}`);
  check(typeof value['name'] === 'string' && value['name'] !== '', 'name must be a string');
  check(typeof value['hash'] === 'string', 'hash must be a string');
  const { code, vertices, edges } = value;
  const codeIsRight =
    isObject(code) &&
    typeof code['bundleHash'] === 'string' &&
    /^[0-9a-f]{64}$/.test(code['bundleHash']) &&
    typeof code['job'] === 'string' &&
    isObject(code['args']);
  check(codeIsRight, 'code must name a bundle, a job and its arguments');
  if (!Array.isArray(vertices) || !Array.isArray(edges)) return [...problems, 'vertices and edges must be lists'];
  check(vertices.length > 0, 'there are no vertices');
  const ids = new Set<unknown>();
  for (const vertex of vertices as unknown[]) {
    problems.push(...vertexProblems(vertex, ids));
    if (isObject(vertex)) ids.add(vertex['id']);
  }
  for (const edge of edges as unknown[]) problems.push(...edgeProblems(edge, ids));
  return problems;
}

function vertexProblems(vertex: unknown, taken: ReadonlySet<unknown>): string[] {
  if (!isObject(vertex) || !isId(vertex['id'])) return ['a vertex has no id of 32 hex digits'];
  const { id, operators } = vertex;
  const problems: string[] = [];
  if (taken.has(id)) problems.push(`two vertices have the id ${id}`);
  if (typeof vertex['name'] !== 'string') problems.push(`vertex ${id} has no name`);
  if (!isCount(vertex['parallelism']) || !isCount(vertex['maxParallelism'])) {
    problems.push(`vertex ${id}: parallelism and maxParallelism must be whole numbers from 1 to 32768`);
  }
  const operatorsAreRight =
    Array.isArray(operators) &&
    operators.length > 0 &&
    (operators as unknown[]).every((o) => isObject(o) && isId(o['id']) && typeof o['name'] === 'string');
  if (!operatorsAreRight) problems.push(`vertex ${id} has no operators with ids and names`);
  return problems;
}

function edgeProblems(edge: unknown, vertices: ReadonlySet<unknown>): string[] {
  if (!isObject(edge) || typeof edge['id'] !== 'string') return ['an edge has no id'];
  const { id, sourceVertex, targetVertex, partitioner } = edge;
  const problems: string[] = [];
  for (const end of [sourceVertex, targetVertex]) {
    if (!vertices.has(end)) problems.push(`edge ${id} names the vertex ${String(end)}, which is not there`);
  }
  if (!Object.values<unknown>(Partitioner).includes(partitioner)) {
    problems.push(`edge ${id} has an unknown partitioner`);
  }
  return problems;
}

/** @throws TypeError naming everything that is wrong. */
export function parseJobGraph(value: unknown): JobGraph {
  const problems = findGraphProblems(value);
  if (problems.length > 0) throw new TypeError(`not a job graph: ${problems.join('; ')}`);
  return value as JobGraph;
}
