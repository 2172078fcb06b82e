/** Jobs in the shapes of Flink's REST API. Pure. */
import type { JobConfig, JobDetails } from '../../../contract/rest.ts';
import type { JobView } from '../../jobmanager/views/cluster-view.ts';
import { lost, SCHEDULER } from './job-summary.ts';
import { jobPlan, jobType } from './plan.ts';
import { textOf } from './text.ts';
import { vertexSummary, withReconciling } from './vertex.ts';

/** @param applicationId of the application that it belongs to. */
export function jobDetails(job: JobView, applicationId: string): JobDetails {
  return {
    jid: job.id,
    'application-id': applicationId,
    name: job.name,
    isStoppable: job.isStoppable,
    state: job.state,
    ...lost(job),
    'job-type': jobType(job.graph),
    schedulerType: SCHEDULER,
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: job.duration,
    maxParallelism: job.maxParallelism,
    now: job.now,
    timestamps: job.timestamps,
    vertices: job.vertices.map((vertex) => vertexSummary(vertex, job.id)),
    'status-counts': countVertices(job),
    plan: jobPlan(job.id, job.graph),
    'pending-operators': 0,
  };
}

function countVertices({ tasks, vertices }: JobView): Record<string, number> {
  const states = Object.keys(withReconciling(tasks));
  return Object.fromEntries(
    states.map((state) => [state, vertices.filter((vertex) => vertex.state === state).length]),
  );
}

export function jobConfig(job: JobView): JobConfig {
  return {
    jid: job.id,
    name: job.name,
    'execution-config': {
      'restart-strategy': job.restartStrategy,
      'job-parallelism': job.parallelism,
      'object-reuse-mode': true,
      'user-config': Object.fromEntries(
        Object.entries(job.graph.code.args).map(([key, value]) => [key, textOf(value)]),
      ),
    },
  };
}

/** What its parallelism may be: what it is, for it stays so while the job runs. */
export function resourceRequirements({ vertices }: JobView) {
  return Object.fromEntries(
    vertices.map(({ id, parallelism }) => [
      id,
      { parallelism: { lowerBound: parallelism, upperBound: parallelism } },
    ]),
  );
}
