/**
 * What becomes of an operation that failed: its release is marked, a first deployment is taken down (Y3),
 * an upgrade is rolled back when that was asked for, and the hook `on-failure` hears of it.
 */
import { ApplicationStatus } from '../../contract/outcome.ts';
import {
  DocumentName,
  type OutcomeDocument,
  PROTOCOL_VERSION,
  type ReleaseEntry,
  ReleaseStatus,
} from '../../record/documents.ts';
import type { Plan } from '../../contract/plan.ts';
import { DeploymentError, FctlError, type Problem, problem } from '../../contract/errors.ts';
import { checkFence } from '../../record/fence.ts';
import { readDocument } from '../../record/record.ts';
import { removeUnneeded } from './artifacts.ts';
import { newestEpoch } from './health.ts';
import { runHook } from '../hooks.ts';
import { tailJobManagers } from './log-tail.ts';
import { planRemoval } from './plan.ts';
import { planData } from './plan-data.ts';
import { quiesce } from './quiesce.ts';
import { markRelease, previousStable } from '../releases.ts';
import { withState } from './restore.ts';
import { type Situation, isRunning, readSituation } from './situation.ts';
import {
  type Running,
  type Wanted,
  carryOutAndWait,
  hookFacts,
  messageOf,
  recordIntended,
  stateQuestion,
} from './stages.ts';
import { refuseStateLoss } from './state-loss.ts';
import { prepare } from './suspend.ts';

/** A release by the name that people give it. */
export type ReleaseName = Pick<ReleaseEntry, 'number' | 'release'>;

/** A deployment failed after it had begun. */
export class FailedDeployment extends DeploymentError {
  readonly plan: Plan;
  /** The one that runs again; `null`: none was returned to. */
  readonly rolledBackTo: ReleaseName | null;

  constructor(
    problems: readonly Problem[],
    plan: Plan,
    rolledBackTo: ReleaseName | null,
    options?: ErrorOptions,
  ) {
    super(problems, options);
    this.plan = plan;
    this.rolledBackTo = rolledBackTo;
  }
}

export interface Failure {
  readonly wanted: Wanted;
  /** Before the operation. */
  readonly situation: Situation;
  readonly entry: ReleaseEntry;
  /** `null`: the outcome of the application tells. */
  readonly error: unknown;
}

/** @returns the error to end with: what the failure was, and what became of it. */
export async function failOperation(running: Running, failure: Failure): Promise<unknown> {
  const { operation, options } = running;
  const { entry, error, situation, wanted } = failure;
  const { clusterId, provider } = operation;
  try {
    await checkFence(provider.record(clusterId), running.fence);
  } catch (lost) {
    return lost; // Whoever took over judges what is there.
  }
  await markRelease(provider.record(clusterId), entry.number, ReleaseStatus.failed);
  const logs = await explain(running, error);
  if (!isRunning(situation)) await takeDown(running, failure);
  const back = options.rollbackOnFailure ? await rollBack(running, failure) : null;
  const facts = {
    ...hookFacts(operation, wanted),
    FCTL_ERROR: error === null ? 'the application failed at once' : messageOf(error),
    FCTL_ROLLED_BACK_TO: back?.to?.release ?? null,
  };
  const hooks = { ...options, hooks: operation.hooks, plan: planData(wanted.plan) };
  const hookProblems = await runHook('on-failure', facts, hooks).then(
    () => [],
    (failed: unknown) => problemsOf(failed),
  );
  if (error !== null && !(error instanceof FctlError)) return error; // a bug: its stack is needed
  const problems = [...problemsOf(error), ...logs, ...(back?.problems ?? []), ...hookProblems];
  const to = back?.to ?? null;
  return problems.length === 0
    ? error
    : new FailedDeployment(problems, wanted.plan, to, { cause: error });
}

const problemsOf = (error: unknown): readonly Problem[] =>
  error instanceof FctlError
    ? error.problems
    : error === null
      ? []
      : [problem({ code: 'bug', message: messageOf(error) })];

/** The lines of the logs that explain it, where the error has none. Read before processes go away. */
async function explain(
  { operation, options }: Running,
  error: unknown,
): Promise<readonly Problem[]> {
  const isExplained = problemsOf(error).some(
    ({ code }) => code === 'log' || code === 'hook-failed',
  );
  if (error === null || isExplained) return [];
  const { provider } = operation;
  return tailJobManagers({ provider, signal: options.signal }, operation.clusterId);
}

interface Rollback {
  readonly to: ReleaseName | null;
  readonly problems: readonly Problem[];
}

async function rollBack(running: Running, { entry, situation }: Failure): Promise<Rollback> {
  const { operation, options } = running;
  const { clusterId, provider } = operation;
  const none = (code: string, message: string): Rollback => ({
    to: null,
    problems: [problem({ code, message, hint: `'fctl releases ${clusterId}' shows all` })],
  });
  const target = previousStable([...situation.releases, entry]);
  if (target === null || operation.wantRelease === null) {
    return none('nothing-to-roll-back-to', 'there is no earlier stable release to roll back to');
  }
  options.onEvent({ type: 'rolling-back', number: target.number, release: target.release });
  try {
    const now = await readSituation(operation, clusterId);
    const found = await operation.wantRelease(target, now);
    // Jobs of the release that failed have nothing that would be missed.
    const plan = await withState(stateQuestion(running, found, now));
    const wanted = { ...found, plan };
    if (!options.allowStateLoss) refuseStateLoss(plan);
    const back = await recordIntended(running, wanted, now);
    const ready = await prepare(running, wanted, now, back);
    const { outcome } = await carryOutAndWait(running, ready, now, { entry: back, jobsRunMs: 0 });
    const isFailed = outcome?.status === ApplicationStatus.failed;
    const store = provider.record(clusterId);
    await markRelease(store, back.number, isFailed ? ReleaseStatus.failed : ReleaseStatus.stable);
    if (isFailed) return none('rollback-failed', `release ${target.number} fails as well`);
    await markRelease(store, entry.number, ReleaseStatus.rolledBack);
    await removeUnneeded(provider, wanted.spec, options);
    const message = `rolled back to release ${target.number} (${target.release}), which runs again as release ${back.number}`;
    return { to: target, problems: [problem({ code: 'rolled-back', message })] };
  } catch (error) {
    if (options.signal.aborted) throw error;
    return none('rollback-failed', `the rollback failed, too: ${messageOf(error)}`);
  }
}

/**
 * Y3. What a crashed run left is not thrown away because the attempt to go on with it failed: its processes
 * are ended without being cancelled and no outcome is written, so that the journal stays good for the next
 * deployment.
 */
async function takeDown(running: Running, { error, situation, wanted }: Failure): Promise<void> {
  const { fence, operation, options } = running;
  const { clusterId, provider } = operation;
  const store = provider.record(clusterId);
  const before = await readDocument(store, DocumentName.outcome);
  const told = before.value !== null && before.value.epoch > situation.epoch;
  const observed = await provider.observe(clusterId, options);
  if (observed !== null && !situation.isUnfinished) {
    await quiesce(operation, observed, options.signal);
  }
  const removal = planRemoval(wanted.spec, observed, 'the deployment failed');
  await provider.converge(wanted.spec, removal, {
    fence,
    signal: options.signal,
    onStep: () => {},
    onJobManagersEnded: async () => {},
  });
  if (told || situation.isUnfinished) return;
  // In place of what a JobManager wrote that was asked to end just now: that it was cancelled.
  const { version } = await readDocument(store, DocumentName.outcome);
  const newest = await newestEpoch(provider, clusterId);
  const message = options.redactor.mask(messageOf(error));
  const outcome: OutcomeDocument = {
    protocol: PROTOCOL_VERSION,
    status: ApplicationStatus.failed,
    startTime: Date.now(),
    endTime: Date.now(),
    error: { message, stack: null, task: null, location: null },
    jobs: [],
    epoch: Math.max(newest, situation.epoch + 1),
  };
  await store.write(DocumentName.outcome, outcome, version);
}
