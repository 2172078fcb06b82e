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
import type { ClusterId } from '../../contract/cluster-id.ts';
import { pause } from '../../contract/pause.ts';
import type { OutcomeDocument } from '../../record/documents.ts';
import { readRuns } from '../../record/record.ts';
import { DeploymentError, problem } from '../../contract/errors.ts';
import { Role } from '../../contract/process-spec.ts';
import { describeExit, memoryProblems } from '../../providers/shared/describe-exit.ts';
import type { ObservedCluster, Provider } from '../../providers/provider.ts';
import { JobGate } from './job-gate.ts';
import { tailJobManagers, tailLogs } from './log-tail.ts';
import type { OnDeployEvent } from './progress.ts';
import { type Site, findLeader } from '../site.ts';

/** At first the end of the wait is near: a local cluster is healthy within half a second. */
const eagerMs = 2000;
const eagerPollMs = 25;
const pollMs = 100;

export interface HealthOptions extends Site {
  readonly clusterId: ClusterId;
  /** Epoch before the deployment (H1). */
  readonly previousEpoch: number;
  readonly taskManagers: number;
  /** Names of processes that were gone before, and that the operation leaves so: it is not judged by them. */
  readonly leftAlone: ReadonlySet<string>;
  /** How long jobs must run without a failure; `null`: jobs are not looked at. */
  readonly jobsRunMs: number | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnDeployEvent;
}

/** The newest epoch that the cluster's record knows of. */
export async function newestEpoch(provider: Provider, clusterId: ClusterId): Promise<number> {
  return (await readRuns(provider.record(clusterId))).epoch;
}

/**
 * Waits for the cluster to become healthy.
 * @returns how the application ended meanwhile; `null`: it has not.
 * @throws DeploymentError with the relevant log lines when a process died, jobs failed or time ran out.
 */
export async function awaitHealthy(options: HealthOptions): Promise<OutcomeDocument | null> {
  const { clock, jobsRunMs, onEvent, signal } = options;
  const begin = clock.monotonic();
  onEvent({ type: 'waiting-for-jobmanager' });
  const jobs = jobsRunMs === null ? null : new JobGate(options, jobsRunMs);
  const tell = teller(onEvent);
  for (;;) {
    signal.throwIfAborted();
    const found = await look(options);
    if (found.outcome !== null) return found.outcome;
    tell(found, options.taskManagers);
    if (found.registered >= options.taskManagers) {
      if (jobs === null) return null;
      if (await jobs.passed()) {
        onEvent({ type: jobs.isIdle ? 'main-runs' : 'jobs-run' });
        return (await look(options)).outcome;
      }
    }
    await refuseDead(options, found);
    const passed = clock.monotonic() - begin;
    if (passed > options.timeoutMs) throw await late(options, found, jobs);
    await pause(clock, passed < eagerMs ? eagerPollMs : pollMs, signal);
  }
}

/** What is true of this run (H1). */
interface Look {
  readonly observed: ObservedCluster | null;
  /** How it ended; `null`: it has not. */
  readonly outcome: OutcomeDocument | null;
  /** Where its JobManager is; `null`: none has led yet. */
  readonly url: string | null;
  /** How many TaskManagers that knows; -1 while it does not answer. */
  readonly registered: number;
}

async function look(options: HealthOptions): Promise<Look> {
  const { clusterId, previousEpoch, provider } = options;
  // In this order: a process that has ended has written its outcome by then.
  const observed = await provider.observe(clusterId, options);
  const { outcome } = await readRuns(provider.record(clusterId), options);
  if (outcome !== null && outcome.epoch > previousEpoch) {
    return { observed, outcome, url: null, registered: -1 };
  }
  const leader = await findLeader(options, clusterId);
  if (leader === null || leader.endpoint.epoch <= previousEpoch) {
    return { observed, outcome: null, url: null, registered: -1 };
  }
  const taskManagers = await leader.api.taskManagers().catch(() => null);
  const registered = taskManagers?.length ?? -1;
  return { observed, outcome: null, url: leader.endpoint.url, registered };
}

/** Tells what is waited for, whenever that changes, and once that the cluster is up. */
function teller(onEvent: OnDeployEvent): (found: Look, expected: number) => void {
  let told = '';
  let isUp = false;
  return ({ observed, registered, url }, expected) => {
    if (url !== null && registered >= expected) {
      if (!isUp) onEvent({ type: 'healthy', url });
      isUp = true;
      return;
    }
    const pending = pendingOf(observed).join('; ');
    const state = `${url === null} ${registered} ${pending}`;
    if (state === told) return;
    told = state;
    if (url !== null) onEvent({ type: 'waiting-for-taskmanagers', registered, expected });
    if (pending !== '') onEvent({ type: 'waiting-for-processes', pending });
  };
}

async function late(
  options: HealthOptions,
  { observed, registered, url }: Look,
  jobs: JobGate | null,
): Promise<DeploymentError> {
  const { clusterId, taskManagers, timeoutMs } = options;
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

/** @throws DeploymentError when a process of the cluster is gone and no outcome explains it (H3). */
async function refuseDead(
  { clusterId, leftAlone, provider }: HealthOptions,
  { observed, url }: Look,
): Promise<void> {
  const hasLed = url !== null;
  // `exited` too: what explains it is the outcome of an earlier run.
  const dead = (observed?.processes ?? []).filter(
    ({ name, role, status }) =>
      status !== 'running' &&
      status !== 'pending' &&
      !leftAlone.has(name) &&
      !(hasLed && role === Role.jobmanager && status === 'restarting'),
  );
  if (dead.length === 0) return;
  const problems = dead.map((process) => {
    const how = describeExit(process);
    return problem({
      code: 'process-died',
      message: `${process.name} (${process.location}) died while the cluster was starting${how === null ? '' : `: ${how}`}`,
      hint: `see 'fctl logs ${clusterId} ${process.name}'`,
    });
  });
  throw new DeploymentError([
    ...problems,
    ...memoryProblems(observed),
    ...(await tailLogs(provider, clusterId, dead)),
  ]);
}
