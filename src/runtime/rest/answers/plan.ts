/** The dataflow of a job as the Web UI draws it. Pure. */
import type { JobPlan } from '../../../contract/rest.ts';
import type { JobGraph, OperatorNode } from '../../../graph/job-graph.ts';

export const jobType = ({ boundedness }: JobGraph): string =>
  boundedness === 'bounded' ? 'BATCH' : 'STREAMING';

/** Sinks first, as Flink lists them. */
export function jobPlan(jid: string, graph: JobGraph): JobPlan {
  const nodes = graph.vertices.toReversed().map((vertex) => {
    const inputs = graph.edges
      .filter((edge) => edge.targetVertex === vertex.id)
      .map((edge, num) => ({
        id: edge.sourceVertex,
        num,
        exchange: 'pipelined_bounded',
        ship_strategy: edge.partitioner,
      }));
    return {
      id: vertex.id,
      operator: '',
      parallelism: vertex.parallelism,
      operator_strategy: '',
      description: describe(vertex.operators),
      optimizer_properties: {},
      ...(inputs.length === 0 ? {} : { inputs }),
    };
  });
  return { jid, name: graph.name, type: jobType(graph), nodes };
}

/** The chain as HTML, for that is how the Web UI shows it: `slow<br/>+- discard: Writer<br/>`. */
function describe(operators: readonly OperatorNode[]): string {
  const depths = new Map<string, number>();
  let text = '';
  for (const { id, inputs, name } of operators) {
    const depth = inputs.length === 0 ? 0 : Math.max(...inputs.map((i) => depths.get(i) ?? 0)) + 1;
    depths.set(id, depth);
    const branch = depth === 0 ? '' : `${'   '.repeat(depth - 1)}+- `;
    text += `${branch}${escapeHtml(name)}<br/>`;
  }
  return text;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names are the user's. */
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => entities[char]!);
