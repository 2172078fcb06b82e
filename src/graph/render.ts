/** JobGraphs for people. */
import { describeType } from '../api/types.ts';
import { printable } from '../contract/printable.ts';
import type { JobEdge, JobGraph, JobVertex, OperatorNode } from './job-graph.ts';

export type GraphFormat = 'text' | 'json' | 'mermaid';

/** Text as a list of vertices, each with its chain as a tree; JSON; or a flow chart of Mermaid. */
export function renderJobGraph(graph: JobGraph, format: GraphFormat): string {
  if (format === 'json') return JSON.stringify(graph, null, 2);
  return format === 'mermaid' ? mermaid(graph) : text(graph);
}

function text(graph: JobGraph): string {
  const numbers = new Map(graph.vertices.map(({ id }, index) => [id, index + 1]));
  const { bundleHash, args } = graph.code;
  const head = [
    `${printable(graph.name)}  ${graph.boundedness}, ${count(graph.vertices.length, 'vertex', 'vertices')}`,
    `  graph ${graph.hash.slice(0, 12)}, bundle ${bundleHash.slice(0, 12)}`,
    ...Object.entries(args).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
  ];
  const vertices = graph.vertices.map((vertex) => vertexText(graph, vertex, numbers));
  return [head.join('\n'), ...vertices].join('\n\n');
}

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

function vertexText(
  graph: JobGraph,
  vertex: JobVertex,
  numbers: ReadonlyMap<string, number>,
): string {
  const indent = ' '.repeat(5);
  const inputs = graph.edges
    .filter((edge) => edge.targetVertex === vertex.id)
    .map((edge) => `${indent}<- ${numbers.get(edge.sourceVertex)}  ${describeEdge(edge)}`);
  return [
    `${String(numbers.get(vertex.id)).padStart(3)}  ${printable(vertex.name)}`,
    `${indent}parallelism ${vertex.parallelism} of at most ${vertex.maxParallelism}`,
    ...inputs,
    ...chainLines(vertex.operators, vertex.operators[0]!, indent, indent),
  ].join('\n');
}

/** A chain goes on at the same depth; where it forks, its branches are indented. */
function chainLines(
  all: readonly OperatorNode[],
  from: OperatorNode,
  first: string,
  rest: string,
): string[] {
  const next = all.filter((operator) => operator.inputs.includes(from.id));
  const lines = [`${first}${describeOperator(from)}`];
  if (next.length === 1) return [...lines, ...chainLines(all, next[0]!, rest, rest)];
  return [
    ...lines,
    ...next.flatMap((operator, index) => {
      const isLast = index === next.length - 1;
      return chainLines(
        all,
        operator,
        `${rest}${isLast ? '└─ ' : '├─ '}`,
        `${rest}${isLast ? '   ' : '│  '}`,
      );
    }),
  ];
}

function describeOperator({ kind, outputType, uid, ...operator }: OperatorNode): string {
  const name = printable(operator.name);
  const identity = uid === null ? '' : ` [${printable(uid)}]`;
  return kind === 'sink'
    ? `${name}${identity}`
    : `${name}${identity}: ${describeOutput(outputType)}`;
}

const describeOutput = (type: OperatorNode['outputType']) =>
  type === null ? 'untyped' : describeType(type);

function describeEdge(edge: JobEdge): string {
  const key = edge.keyType === null ? '' : ` by ${describeType(edge.keyType)}`;
  return `${edge.partitioner}${key}${edge.type === null ? ', encoded by msgpack' : ''}`;
}

function mermaid(graph: JobGraph): string {
  const names = new Map(graph.vertices.map(({ id }, index) => [id, `v${index + 1}`]));
  const nodes = graph.vertices.map(
    (vertex) =>
      `  ${names.get(vertex.id)}["${escape(vertex.name)}<br/>parallelism ${vertex.parallelism}"]`,
  );
  const edges = graph.edges.map(
    (edge) =>
      `  ${names.get(edge.sourceVertex)} -->|${edge.partitioner}| ${names.get(edge.targetVertex)}`,
  );
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

/** Entities of Mermaid, by number: a name may hold what ends a label. */
function escape(label: string): string {
  return printable(label).replace(/[#&"<>]/g, (character) => `#${character.charCodeAt(0)};`);
}
