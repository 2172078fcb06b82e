/** Cancels a job, or a whole application, through its JobManager. */
import { setTimeout as delay } from 'node:timers/promises';
import { DocumentName, type OutcomeDocument } from '../contract/documents.ts';
import { ClusterError, problem } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { FctlRestClient, FlinkRestClient, RestError } from '../flink-rest/client.ts';
import type { DocumentStore, Provider, ReachableEndpoint } from '../providers/provider.ts';
import { clusterStatus } from './status.ts';

const pollMs = 50;

/**
 * Cancels and waits for the end.
 * @param jobId only this job; `null`: the application with all its jobs.
 * @returns the outcome, or `null` when only a job was cancelled.
 * @throws ClusterError (exit 7: no such cluster or job; exit 8: it has already ended).
 */
export async function cancel(
  provider: Provider,
  clusterId: string,
  jobId: string | null,
  signal: AbortSignal,
): Promise<OutcomeDocument | null> {
  const endpoint = await reachable(provider, clusterId);
  const options = { url: endpoint.url, token: endpoint.token, timeoutMs: 10_000 };
  if (jobId !== null) {
    await new FlinkRestClient(options).cancelJob(jobId).catch(refused);
    return null;
  }
  await new FctlRestClient(options).cancelApplication().catch(refused);
  return awaitOutcome(provider.store(clusterId), endpoint.document.epoch, signal);
}

/** Waits until the JobManager of that epoch, or a later one, has written how the cluster ended. */
export async function awaitOutcome(
  store: DocumentStore,
  epoch: number,
  signal: AbortSignal,
): Promise<OutcomeDocument> {
  for (;;) {
    signal.throwIfAborted();
    const { value } = await store.read<OutcomeDocument>(DocumentName.outcome);
    if (value !== null && value.epoch >= epoch) return value;
    await delay(pollMs, undefined, { signal });
  }
}

async function reachable(provider: Provider, clusterId: string): Promise<ReachableEndpoint> {
  const status = await clusterStatus(provider, clusterId);
  if (status === null) throw noSuchCluster(clusterId);
  const endpoint = await provider.endpoint(clusterId);
  if (status.info === null || endpoint === null) {
    throw new ClusterError(
      ExitCode.conflict,
      problem({
        code: 'not-running',
        message: `cluster ${clusterId} is ${status.state}: there is nothing to cancel`,
        hint: status.explanation,
      }),
    );
  }
  return endpoint;
}

/** The JobManager's own words. */
function refused(error: unknown): never {
  if (!(error instanceof RestError)) throw error;
  const exitCode = error.status === 404 ? ExitCode.notFound : ExitCode.conflict;
  throw new ClusterError(exitCode, problem({ code: 'refused', message: error.message }), {
    cause: error,
  });
}

/** For every verb that names a cluster. */
export function noSuchCluster(clusterId: string): ClusterError {
  return new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-cluster',
      message: `there is no cluster '${clusterId}'`,
      hint: "'fctl list' shows all clusters",
    }),
  );
}
