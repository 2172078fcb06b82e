/**
 * The health gate of a deployment: the new JobManager answers and the expected TaskManagers are
 * registered, or the application has already ended.
 *
 * H1  A JobManager is new when its epoch is above the one seen before anything was started; an endpoint
 *     or outcome of an earlier run never counts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DocumentName,
  type EndpointDocument,
  type OutcomeDocument,
} from '../contract/documents.ts';
import { DeploymentError, type Problem, problem } from '../contract/errors.ts';
import { FlinkRestClient } from '../flink-rest/client.ts';
import type { Provider } from '../providers/provider.ts';
import { tailLogs } from './log-tail.ts';
import type { OnDeployEvent } from './progress.ts';

const pollMs = 25;

export interface HealthOptions {
  readonly provider: Provider;
  readonly clusterId: string;
  /** Epoch before the deployment (H1). */
  readonly previousEpoch: number;
  readonly taskManagers: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
}

/** The newest epoch that the cluster's record knows of. */
export async function newestEpoch(provider: Provider, clusterId: string): Promise<number> {
  const store = provider.store(clusterId);
  const [endpoint, outcome] = await Promise.all([
    store.read<EndpointDocument>(DocumentName.endpoint),
    store.read<OutcomeDocument>(DocumentName.outcome),
  ]);
  return Math.max(endpoint.value?.epoch ?? 0, outcome.value?.epoch ?? 0);
}

/**
 * Waits for the cluster to become healthy.
 * @throws DeploymentError with the relevant log lines when a process died or time ran out.
 */
export async function awaitHealthy(options: HealthOptions): Promise<void> {
  const { provider, clusterId, signal, onEvent } = options;
  const deadline = Date.now() + options.timeoutMs;
  onEvent({ type: 'waiting-for-jobmanager' });
  let registered = -1;
  for (;;) {
    signal.throwIfAborted();
    if (await hasEnded(options)) return;
    const url = await leaderUrl(options);
    if (url !== null) {
      const now = await registeredTaskManagers(options);
      if (now >= options.taskManagers) {
        onEvent({ type: 'healthy', url });
        return;
      }
      if (now !== registered) {
        onEvent({
          type: 'waiting-for-taskmanagers',
          registered: now,
          expected: options.taskManagers,
        });
      }
      registered = now;
    }
    await refuseDead(options);
    if (Date.now() > deadline) {
      throw new DeploymentError([
        problem({
          code: 'not-healthy',
          message:
            url === null
              ? `the JobManager of ${clusterId} did not answer within ${options.timeoutMs / 1000} s`
              : `only ${Math.max(registered, 0)} of ${options.taskManagers} TaskManagers registered within ${options.timeoutMs / 1000} s`,
          hint: `see 'fctl logs ${clusterId}'`,
        }),
        ...(await tailLogs(provider, clusterId, ['jobmanager-0'])),
      ]);
    }
    await delay(pollMs, undefined, { signal });
  }
}

async function hasEnded({ provider, clusterId, previousEpoch }: HealthOptions): Promise<boolean> {
  const outcome = await provider.store(clusterId).read<OutcomeDocument>(DocumentName.outcome);
  return outcome.value !== null && outcome.value.epoch > previousEpoch; // H1
}

async function leaderUrl({ provider, clusterId, previousEpoch }: HealthOptions) {
  const endpoint = await provider.endpoint(clusterId);
  return endpoint !== null && endpoint.document.epoch > previousEpoch ? endpoint.url : null; // H1
}

/** How many TaskManagers the leader knows; -1 while it does not answer. */
async function registeredTaskManagers({ provider, clusterId }: HealthOptions): Promise<number> {
  const endpoint = await provider.endpoint(clusterId);
  if (endpoint === null) return -1;
  const client = new FlinkRestClient({ url: endpoint.url, token: endpoint.token, timeoutMs: 2000 });
  const overview = await client.overview().catch(() => null);
  return overview === null ? -1 : overview.taskmanagers;
}

/** @throws DeploymentError when a process of the cluster is gone and nothing explains it. */
async function refuseDead(options: HealthOptions): Promise<void> {
  const { provider, clusterId } = options;
  const observed = await provider.inspect(clusterId);
  // `exited` too: what explains it is the outcome of an earlier run.
  const dead = (observed?.processes ?? []).filter((p) => p.status !== 'running');
  if (dead.length === 0 || (await hasEnded(options))) return;
  const problems: Problem[] = dead.map((process) =>
    problem({
      code: 'process-died',
      message: `${process.name} (${process.location}) died while the cluster was starting`,
      hint: `see 'fctl logs ${clusterId} ${process.name}'`,
    }),
  );
  const names = dead.map((process) => process.name);
  throw new DeploymentError([...problems, ...(await tailLogs(provider, clusterId, names))]);
}
