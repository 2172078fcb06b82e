/** Uploaded applications in the shapes of Flink's REST API. Pure. */
import type { JobGraph } from '../../../graph/job-graph.ts';
import type { Jar } from '../../jobmanager/dispatcher/jars.ts';
import { jobPlan } from './plan.ts';

/** @param address of this API. */
export function jarList(address: string, jars: readonly Jar[]) {
  return {
    address,
    files: jars.map(({ entries, id, name, uploaded }) => ({
      id,
      name,
      uploaded,
      entry: entries.map((entry) => ({ name: entry.name, description: null })),
    })),
  };
}

/** Flink's clients read an id of a job, and there is none yet: 32 digits of the graph's hash. */
export const jarPlan = (graph: JobGraph) => ({ plan: jobPlan(graph.hash.slice(0, 32), graph) });
