/**
 * The health gate of a deployment: the new JobManager answers, the expected TaskManagers are registered,
 * and the jobs of an application run (job-gate.ts); or the application has already ended.
 *
 * H1  A JobManager is new when its epoch is above the one seen before anything was started; an endpoint
 *     or outcome of an earlier run never counts.
 * H2  A process that waits for its place, a machine with room say, is waited for as well: it has not died.
 * H3  A process that dies before the cluster is healthy fails the deployment, although the platform would
 *     start it again: most likely it would die again. Not so a JobManager that has led: jobs may have run,
 *     and it goes on with them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DocumentName, type OutcomeDocument } from '../../record/documents.ts';
import { readDocument, readRuns } from '../../record/record.ts';
import { DeploymentError, type Problem, problem } from '../../contract/errors.ts';
import { Role } from '../../contract/process-spec.ts';
import { describeExit, memoryProblems } from '../../providers/shared/describe-exit.ts';
import type { ObservedCluster, ObservedProcess, Provider } from '../../providers/provider.ts';
import { JobGate } from './job-gate.ts';
import { tailJobManagers, tailLogs } from './log-tail.ts';
import type { OnDeployEvent } from './progress.ts';
import { type Site, findLeader } from '../site.ts';

const pollMs = 25;

export interface HealthOptions extends Site {
  readonly clusterId: string;
  /** Epoch before the deployment (H1). */
  readonly previousEpoch: number;
  readonly taskManagers: number;
  /** How long jobs must run without a failure; `null`: jobs are not looked at. */
  readonly jobsRunMs: number | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
}

/** The newest epoch that the cluster's record knows of. */
export async function newestEpoch(provider: Provider, clusterId: string): Promise<number> {
  return (await readRuns(provider.record(clusterId))).epoch;
}

/**
 * Waits for the cluster to become healthy.
 * @returns how the application ended meanwhile; `null`: it has not.
 * @throws DeploymentError with the relevant log lines when a process died, jobs failed or time ran out.
 */
export async function awaitHealthy(options: HealthOptions): Promise<OutcomeDocument | null> {
  const { jobsRunMs, onEvent, signal } = options;
  const deadline = performance.now() + options.timeoutMs;
  onEvent({ type: 'waiting-for-jobmanager' });
  const jobs = jobsRunMs === null ? null : new JobGate(options, jobsRunMs);
  let registered: number | null = null;
  let waitsFor = '';
  let isUp = false;
  for (;;) {
    signal.throwIfAborted();
    const outcome = await outcomeOf(options);
    if (outcome !== null) return outcome;
    const url = await leaderUrl(options);
    const now = url === null ? -1 : await registeredTaskManagers(options);
    if (now >= options.taskManagers) {
      if (!isUp) onEvent({ type: 'healthy', url: url! });
      isUp = true;
      if (jobs === null) return null;
      if (await jobs.passed()) {
        onEvent({ type: 'jobs-run' });
        return outcomeOf(options);
      }
    } else if (url !== null && now !== registered) {
      onEvent({
        type: 'waiting-for-taskmanagers',
        registered: now,
        expected: options.taskManagers,
      });
    }
    registered = now;
    const pending = pendingOf(await refuseDead(options)).join('; ');
    if (pending !== '' && pending !== waitsFor) onEvent({ type: 'waiting-for-processes', pending });
    waitsFor = pending;
    if (performance.now() > deadline) throw await late(options, url, now, jobs);
    await delay(pollMs, undefined, { signal });
  }
}

async function late(
  options: HealthOptions,
  url: string | null,
  registered: number,
  jobs: JobGate | null,
): Promise<DeploymentError> {
  const { clusterId, provider, taskManagers, timeoutMs } = options;
  const observed = await provider.observe(clusterId, options);
  const within = `within ${timeoutMs / 1000} s`;
  const what =
    url === null
      ? `the JobManager of ${clusterId} did not answer ${within}`
      : registered < taskManagers
        ? `only ${Math.max(registered, 0)} of ${taskManagers} TaskManagers registered ${within}`
        : `${jobs?.describe() ?? `${clusterId} was not healthy`} ${within}`;
  return new DeploymentError([
    problem({ code: 'not-healthy', message: what, hint: `see 'fctl logs ${clusterId}'` }),
    ...pendingOf(observed).map((waitsFor) => problem({ code: 'pending', message: waitsFor })),
    ...(await tailJobManagers(options, clusterId)),
  ]);
}

/** What processes that have not started wait for. */
const pendingOf = (observed: ObservedCluster | null): readonly string[] =>
  (observed?.processes ?? [])
    .filter(({ status }) => status === 'pending')
    .map(({ name, reason }) => `${name} has not started: ${reason ?? 'nobody says why'}`);

const howItDied = (process: ObservedProcess): string => {
  const how = describeExit(process);
  return how === null ? '' : `: ${how}`;
};

/** How this run ended (H1); `null`: it has not. */
async function outcomeOf({
  clusterId,
  previousEpoch,
  provider,
}: HealthOptions): Promise<OutcomeDocument | null> {
  const { value } = await readDocument(provider.record(clusterId), DocumentName.outcome);
  return value !== null && value.epoch > previousEpoch ? value : null;
}

async function leaderUrl(options: HealthOptions) {
  const { clusterId, previousEpoch, provider } = options;
  const endpoint = await provider.connect(clusterId, options);
  return endpoint !== null && endpoint.epoch > previousEpoch ? endpoint.url : null; // H1
}

/** How many TaskManagers the leader knows; -1 while it does not answer. */
async function registeredTaskManagers(options: HealthOptions): Promise<number> {
  const leader = await findLeader(options, options.clusterId);
  const registered = await leader?.api.taskManagers().catch(() => null);
  return registered?.length ?? -1;
}

/**
 * @returns what runs.
 * @throws DeploymentError when a process of the cluster is gone and nothing explains it (H3).
 */
async function refuseDead(options: HealthOptions): Promise<ObservedCluster | null> {
  const { provider, clusterId } = options;
  const observed = await provider.observe(clusterId, options);
  // `exited` too: what explains it is the outcome of an earlier run.
  const gone = (observed?.processes ?? []).filter(
    ({ status }) => status !== 'running' && status !== 'pending',
  );
  if (gone.length === 0 || (await outcomeOf(options)) !== null) return observed;
  const hasLed = (await leaderUrl(options)) !== null;
  const dead = gone.filter(
    (p) => !(hasLed && p.role === Role.jobmanager && p.status === 'restarting'),
  );
  if (dead.length === 0) return observed;
  const problems: Problem[] = dead.map((process) =>
    problem({
      code: 'process-died',
      message: `${process.name} (${process.location}) died while the cluster was starting${howItDied(process)}`,
      hint: `see 'fctl logs ${clusterId} ${process.name}'`,
    }),
  );
  throw new DeploymentError([
    ...problems,
    ...memoryProblems(observed),
    ...(await tailLogs(provider, clusterId, dead)),
  ]);
}
