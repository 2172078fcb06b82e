/** JobGraphs for people. */
import type { JobEdge, JobGraph, JobVertex } from './job-graph.ts';

export type GraphFormat = 'text' | 'json' | 'mermaid';

export function renderJobGraph(graph: JobGraph, format: GraphFormat): string {
  if (format === 'json') return JSON.stringify(graph, null, 2);
  return format === 'mermaid' ? mermaid(graph) : text(graph);
}

function text(graph: JobGraph): string {
  const number = new Map(graph.vertices.map((v, index) => [v.id, index + 1]));
  const head = `${graph.name} (${graph.boundedness})  graph ${graph.hash.slice(0, 12)}  bundle ${graph.code.bundleHash.slice(0, 12)}`;
  const vertices = graph.vertices.map((vertex) => {
    const inputs = graph.edges
      .filter((edge) => edge.targetVertex === vertex.id)
      .map((edge) => `     <- ${number.get(edge.sourceVertex)} ${describeEdge(edge)}`);
    const title = `  ${number.get(vertex.id)}  ${vertex.name}`;
    return [title, `     parallelism ${vertex.parallelism}, max ${vertex.maxParallelism}`, ...inputs].join('\n');
  });
  return [head, ...vertices].join('\n');
}

function describeEdge(edge: JobEdge): string {
  return edge.type === null ? `${edge.partitioner} (msgpack)` : edge.partitioner;
}

function mermaid(graph: JobGraph): string {
  const number = new Map(graph.vertices.map((v, index) => [v.id, `v${index + 1}`]));
  const label = (vertex: JobVertex) => `${vertex.name.replaceAll('"', "'")}<br/>parallelism ${vertex.parallelism}`;
  const nodes = graph.vertices.map((v) => `  ${number.get(v.id)}["${label(v)}"]`);
  const edges = graph.edges.map(
    (e) => `  ${number.get(e.sourceVertex)} -->|${e.partitioner}| ${number.get(e.targetVertex)}`,
  );
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}
