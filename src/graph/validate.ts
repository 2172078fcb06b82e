/**
 * Checks a JobGraph that came from outside, before anything is made of it. What the JSON Schema says of
 * its structure, and beyond:
 *
 * V1  Ids are unique, and what refers to something refers to something that is there.
 * V2  Vertices are in topological order, so there is no cycle.
 * V3  Types are ones that codecs can be compiled for, nested no deeper than a limit.
 */
import { JOB_GRAPH_VERSION, type JobGraph, Partitioner } from './job-graph.ts';

/** More than these is refused. */
export const limits = {
  vertices: 10_000,
  edges: 100_000,
  /** In one chain. */
  operators: 10_000,
  /** Flink's upper bound of key groups. */
  parallelism: 32_768,
  typeDepth: 64,
  /** Problems that are told. */
  problems: 20,
} as const;

type Loose = { readonly [key: string]: unknown };
type Check = (ok: boolean, message: string) => boolean;

const isObject = (value: unknown): value is Loose =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
const isSha256 = (value: unknown): boolean =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limits.parallelism;
const isMadeByKind = (value: unknown): boolean =>
  value === null ||
  (isObject(value) &&
    isName(value['kind']) &&
    isObject(value['options']) &&
    hasOnly(value, 'kind', 'options'));

function hasOnly(value: Loose, ...names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

/** @returns what is wrong with it, at most a handful; empty when it is a JobGraph. */
export function findGraphProblems(value: unknown): string[] {
  if (!isObject(value)) return ['a job graph is a JSON object'];
  const problems: string[] = [];
  const check: Check = (ok, message) => {
    if (!ok && problems.length < limits.problems) problems.push(message);
    return ok;
  };
  checkHead(value, check);
  const { vertices, edges } = value;
  const isListed =
    check(
      Array.isArray(vertices) && vertices.length > 0,
      'vertices must be a list, and not an empty one',
    ) &&
    check(
      (vertices as unknown[]).length <= limits.vertices,
      `there are more than ${limits.vertices} vertices`,
    ) &&
    check(Array.isArray(edges), 'edges must be a list') &&
    check((edges as unknown[]).length <= limits.edges, `there are more than ${limits.edges} edges`);
  if (!isListed) return problems;
  const known: Known = { vertices: new Map(), operators: new Map(), edges: new Set() };
  for (const vertex of vertices as unknown[]) checkVertex(vertex, known, check);
  for (const edge of edges as unknown[]) checkEdge(edge, known, check);
  return problems;
}

function areCachedFiles(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(
    ([name, file]) =>
      name !== '' &&
      isObject(file) &&
      isSha256(file['hash']) &&
      Number.isSafeInteger(file['sizeBytes']) &&
      hasOnly(file, 'hash', 'sizeBytes'),
  );
}

function checkHead(graph: Loose, check: Check): void {
  const { version, name, boundedness, code, hash } = graph;
  const fields = ['version', 'name', 'boundedness', 'code', 'vertices', 'edges', 'hash'];
  check(
    hasOnly(graph, ...fields, 'cachedFiles'),
    `a job graph has only ${fields.join(', ')}, cachedFiles`,
  );
  check(
    graph['cachedFiles'] === undefined || areCachedFiles(graph['cachedFiles']),
    'cachedFiles must name files, each by its hash and sizeBytes',
  );
  check(
    version === JOB_GRAPH_VERSION,
    `version must be ${JOB_GRAPH_VERSION}, not ${String(version)}`,
  );
  check(isName(name), 'name must be a text');
  check(
    boundedness === 'bounded' || boundedness === 'unbounded',
    'boundedness must be bounded or unbounded',
  );
  check(isSha256(hash), 'hash must be 64 hex digits');
  const isCode =
    isObject(code) &&
    isSha256(code['bundleHash']) &&
    isName(code['job']) &&
    isObject(code['args']) &&
    isCount(code['parallelism']) &&
    hasOnly(code, 'bundleHash', 'job', 'args', 'parallelism');
  check(
    isCode,
    'code must name a bundle by its hash, a job, its arguments and its default parallelism',
  );
}

/** What came before. */
interface Known {
  /** Id of a vertex → its position. */
  readonly vertices: Map<string, number>;
  /** Id of an operator → id of its vertex. */
  readonly operators: Map<string, string>;
  /** Target operator and input. */
  readonly edges: Set<string>;
}

function checkVertex(vertex: unknown, known: Known, check: Check): void {
  if (!isObject(vertex) || !isId(vertex['id']))
    return void check(false, 'a vertex has no id of 32 hex digits');
  const { id, name, parallelism, maxParallelism, slotSharingGroup, operators } = vertex;
  check(!known.vertices.has(id), `two vertices have the id ${id}`); // V1
  known.vertices.set(id, known.vertices.size);
  const fields = ['id', 'name', 'parallelism', 'maxParallelism', 'slotSharingGroup', 'operators'];
  check(hasOnly(vertex, ...fields), `vertex ${id}: a vertex has only ${fields.join(', ')}`);
  check(
    isName(name) && isName(slotSharingGroup),
    `vertex ${id} has no name or no slot sharing group`,
  );
  const isScaled =
    check(
      isCount(parallelism) && isCount(maxParallelism),
      `vertex ${id}: parallelism and maxParallelism must be whole numbers from 1 to ${limits.parallelism}`,
    ) && (parallelism as number) <= (maxParallelism as number);
  check(
    isScaled || !isCount(parallelism),
    `vertex ${id}: its parallelism is above its max parallelism`,
  );
  if (!Array.isArray(operators) || operators.length === 0 || operators.length > limits.operators) {
    return void check(false, `vertex ${id} must have 1 to ${limits.operators} operators`);
  }
  check(
    isObject(operators[0]) && operators[0]['id'] === id,
    `vertex ${id} does not have the id of its first operator`,
  );
  for (const [index, operator] of (operators as unknown[]).entries()) {
    checkOperator(operator, { vertex: id, isHead: index === 0 }, known, check);
  }
}

const operatorFields = [
  'id',
  'uid',
  'name',
  'kind',
  'inputs',
  'outputType',
  'stateful',
  'enumerator',
  'committer',
];

function checkOperator(
  operator: unknown,
  at: { readonly vertex: string; readonly isHead: boolean },
  known: Known,
  check: Check,
): void {
  if (!isObject(operator) || !isId(operator['id'])) {
    return void check(false, `vertex ${at.vertex} has an operator without an id of 32 hex digits`);
  }
  const { id, uid, name, kind, inputs, outputType, stateful, enumerator, committer } = operator;
  check(
    hasOnly(operator, ...operatorFields),
    `operator ${id}: an operator has only ${operatorFields.join(', ')}`,
  );
  check(
    isName(name) && isName(kind) && (uid === null || isName(uid)),
    `operator ${id} has no name, kind or uid`,
  );
  check(
    isMadeByKind(enumerator) && isMadeByKind(committer),
    `operator ${id}: enumerator and committer need kind and options`,
  );
  check(isTypeOrNull(outputType), `operator ${id}: outputType is not a type`);
  check(typeof stateful === 'boolean', `operator ${id}: stateful must be true or false`);
  const isChained =
    Array.isArray(inputs) &&
    (inputs as unknown[]).every((input) => known.operators.get(input as string) === at.vertex) &&
    (inputs.length === 0) === at.isHead;
  check(
    isChained,
    `operator ${id}: inputs must name operators before it in its chain, and those of the first none`,
  );
  check(!known.operators.has(id), `two operators have the id ${id}`); // V1
  known.operators.set(id, at.vertex);
}

function checkEdge(edge: unknown, known: Known, check: Check): void {
  if (!isObject(edge) || !isName(edge['id'])) return void check(false, 'an edge has no id');
  const { id, sourceVertex, sourceOperator, targetVertex, targetOperator, input, partitioner } =
    edge;
  const fields = [
    'id',
    'sourceVertex',
    'sourceOperator',
    'targetVertex',
    'targetOperator',
    'input',
    'partitioner',
  ];
  check(
    hasOnly(edge, ...fields, 'type', 'keyType'),
    `edge ${id} has other fields than ${fields.join(', ')}, type, keyType`,
  );
  const ends = [
    [sourceVertex, sourceOperator],
    [targetVertex, targetOperator],
  ];
  for (const [vertex, operator] of ends) {
    const isThere =
      check(
        known.vertices.has(vertex as string),
        `edge ${id} names the vertex ${String(vertex)}, which is not there`,
      ) && known.operators.get(operator as string) === vertex;
    check(
      isThere || !known.vertices.has(vertex as string),
      `edge ${id} names the operator ${String(operator)}, which is not in its vertex`,
    );
  }
  const [from, to] = [
    known.vertices.get(sourceVertex as string),
    known.vertices.get(targetVertex as string),
  ];
  check(
    from === undefined || to === undefined || from < to,
    `edge ${id}: its source must stand before its target`,
  ); // V2
  const isInput = typeof input === 'number' && Number.isInteger(input) && input >= 0;
  check(isInput, `edge ${id}: input must be a whole number`);
  const end = `${String(targetOperator)}#${String(input)}`;
  check(
    !known.edges.has(end),
    `two edges lead to input ${String(input)} of operator ${String(targetOperator)}`,
  );
  known.edges.add(end);
  check(
    Object.values<unknown>(Partitioner).includes(partitioner),
    `edge ${id} has an unknown partitioner`,
  );
  check(
    isTypeOrNull(edge['type']) && isTypeOrNull(edge['keyType']),
    `edge ${id}: type and keyType must be types or null`,
  );
  check(
    (partitioner === Partitioner.hash) === (edge['keyType'] !== null),
    `edge ${id} must have a keyType exactly when it is HASH`,
  );
}

function isTypeOrNull(value: unknown): boolean {
  return value === null || isType(value, 0);
}

const simpleKinds = [
  'string',
  'int32',
  'long',
  'int64',
  'double',
  'boolean',
  'timestamp',
  'bytes',
  'primitive',
];

/** V3 */
function isType(value: unknown, depth: number): boolean {
  if (!isObject(value) || depth > limits.typeDepth) return false;
  const inner = (type: unknown): boolean => isType(type, depth + 1);
  const { kind, fields, types } = value;
  switch (kind) {
    case 'record':
      if (
        !isObject(fields) ||
        !hasOnly(value, 'kind', 'fields') ||
        Object.hasOwn(fields, '__proto__')
      )
        return false;
      return Object.values(fields).every(inner);
    case 'list':
      return hasOnly(value, 'kind', 'element') && inner(value['element']);
    case 'map':
      return hasOnly(value, 'kind', 'value') && inner(value['value']);
    case 'optional':
      return hasOnly(value, 'kind', 'type') && inner(value['type']);
    case 'union':
      if (!Array.isArray(types) || types.length === 0 || types.length > 256) return false;
      return hasOnly(value, 'kind', 'types') && (types as unknown[]).every(inner);
    default:
      return typeof kind === 'string' && simpleKinds.includes(kind) && hasOnly(value, 'kind');
  }
}

/** @throws TypeError naming what is wrong. */
export function parseJobGraph(value: unknown): JobGraph {
  const problems = findGraphProblems(value);
  if (problems.length > 0) throw new TypeError(`not a job graph: ${problems.join('; ')}`);
  return value as JobGraph;
}
